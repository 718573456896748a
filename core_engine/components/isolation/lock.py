"""Locks the present process for good: limits, no capabilities, Landlock, seccomp. Nothing of it can be undone."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import struct
from collections.abc import Sequence
from typing import NamedTuple

from core_engine.components.isolation import landlock, seccomp

INTERPRETER_BYTES = 96 * 1024 * 1024
"""Address space of the interpreter itself, allowed on top of a step's own memory."""

MOST_PROCESSES = 64
"""Processes a step that starts programs may have at a time. The kernel does not hold root to it, see `numbers`."""

_OPEN_FILES = 64
_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38
_CAPABILITY_VERSION = 0x20080522
_NO_CAPABILITIES = struct.pack("=6I", 0, 0, 0, 0, 0, 0)


class Walls(NamedTuple):
    """How a process is locked.

    ``parent`` is the process whose end ends this one (0: not checked, in a process namespace of its own).
    ``need_landlock`` is false only inside bubblewrap and where no file can be opened anyway. ``files`` false: nothing
    can be opened by name. ``programs`` leaves it the right to start programs, which stand behind the same walls.
    ``file_bytes`` is the largest file it may write. ``port`` is the one of its proxy, the only one it may
    connect to (0: none).
    """

    parent: int
    need_landlock: bool
    files: bool
    programs: bool = False
    file_bytes: int = 0
    port: int = 0


def lock_process(readable: Sequence[str], writable: Sequence[str], walls: Walls) -> None:
    """Lock this process; only what is named can still be opened. Raises OSError when a wall cannot be put up."""
    libc = ctypes.CDLL(None, use_errno=True)
    _limit(walls.file_bytes, programs=walls.programs)
    _check(libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0), "parent death signal")
    if walls.parent and os.getppid() != walls.parent:
        raise OSError("the engine has ended")
    header = ctypes.create_string_buffer(struct.pack("=Ii", _CAPABILITY_VERSION, 0))
    _check(libc.capset(header, _NO_CAPABILITIES), "capabilities")
    _check(libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")
    if landlock.abi() >= landlock.NETWORK_ABI:
        landlock.restrict(readable, writable, programs=walls.programs, port=walls.port)
    elif walls.need_landlock:
        raise OSError("Landlock is missing or too old")
    seccomp.install(files=walls.files, programs=walls.programs, network=bool(walls.port))


def limit_use(*, seconds: float, memory_bytes: int) -> None:
    """Lower the limits of processor time and memory to what the present request may use."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    cpu = int(used.ru_utime + used.ru_stime + seconds) + 2
    resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu + 1))
    space = INTERPRETER_BYTES + memory_bytes
    resource.setrlimit(resource.RLIMIT_AS, (space, space))


def _limit(file_bytes: int, *, programs: bool) -> None:
    processes = ((resource.RLIMIT_NPROC, MOST_PROCESSES),) if programs else ()
    for kind, most in (
        *processes,
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, file_bytes),
        (resource.RLIMIT_NOFILE, _OPEN_FILES),
        (resource.RLIMIT_MEMLOCK, 0),
        (resource.RLIMIT_MSGQUEUE, 0),
    ):
        resource.setrlimit(kind, (most, most))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)


def _check(result: int, wall: str) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), f"{wall} could not be set")
