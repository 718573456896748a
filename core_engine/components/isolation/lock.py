"""Locks the present process for good: limits, no capabilities, Landlock, seccomp. Nothing of it can be undone."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import struct
from collections.abc import Sequence

from core_engine.components.isolation import landlock, seccomp

INTERPRETER_BYTES = 96 * 1024 * 1024
"""Address space of the interpreter itself, allowed on top of a step's own memory."""

_OPEN_FILES = 64
_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38
_CAPABILITY_VERSION = 0x20080522


def lock_process(readable: Sequence[str], *, parent: int, need_landlock: bool, files: bool) -> None:
    """Lock this process; only ``readable`` can still be opened, or nothing at all where ``files`` is false.

    ``parent`` is the process whose end ends this one (0: not checked, in a process namespace of its own).
    ``need_landlock`` is false only inside bubblewrap and where no file can be opened anyway. Raises OSError when a
    wall cannot be put up.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    _limit()
    _check(libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0), "parent death signal")
    if parent and os.getppid() != parent:
        raise OSError("the engine has ended")
    header = ctypes.create_string_buffer(struct.pack("=Ii", _CAPABILITY_VERSION, 0))
    _check(libc.capset(header, ctypes.create_string_buffer(24)), "capabilities")
    _check(libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")
    if landlock.abi() >= landlock.NETWORK_ABI:
        landlock.restrict(readable)
    elif need_landlock:
        raise OSError("Landlock is missing or too old")
    seccomp.install(files=files)


def limit_use(*, seconds: float, memory_bytes: int) -> None:
    """Lower the limits of processor time and memory to what the present request may use."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    cpu = int(used.ru_utime + used.ru_stime + seconds) + 2
    resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu + 1))
    space = INTERPRETER_BYTES + memory_bytes
    resource.setrlimit(resource.RLIMIT_AS, (space, space))


def _limit() -> None:
    for kind, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, _OPEN_FILES),
        (resource.RLIMIT_MEMLOCK, 0),
        (resource.RLIMIT_MSGQUEUE, 0),
    ):
        resource.setrlimit(kind, (most, most))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)


def _check(result: int, wall: str) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), f"{wall} could not be set")
