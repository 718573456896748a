"""Landlock: from its call on, a process reads only the folders named and writes nothing at all."""

from __future__ import annotations

import ctypes
import os
import stat
import struct
from collections.abc import Sequence

NETWORK_ABI = 4
"""From this version of Landlock on TCP is covered; an older one is not enough."""

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION_FLAG = 1
_PATH_BENEATH = 1
_READ_FILE, _READ_DIR = 1 << 2, 1 << 3
_ALL_TCP = 0b11
_ALL_SCOPES = 0b11


def abi() -> int:
    """Return the kernel's version of Landlock, or 0 where there is none."""
    return max(0, int(_libc().syscall(_CREATE_RULESET, None, 0, _VERSION_FLAG)))


def restrict(readable: Sequence[str]) -> None:
    """Forbid this process all files but the readable ones, all TCP, and other processes' sockets and signals.

    Needs ``no_new_privs``. Paths that do not exist are left out. Raises OSError where the kernel refuses.
    """
    libc = _libc()
    ruleset = _call(libc, _CREATE_RULESET, *_attributes(abi()), 0)
    try:
        for path in readable:
            _allow_reading(libc, ruleset, path)
        _call(libc, _RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)


def _attributes(version: int) -> tuple[ctypes.Array[ctypes.c_char], int]:
    rights = 13 + (version >= 2) + (version >= 3) + (version >= 5)  # refer, truncate, ioctl on devices
    packed = struct.pack("=Q", (1 << rights) - 1)
    if version >= NETWORK_ABI:
        packed += struct.pack("=Q", _ALL_TCP)
    if version >= 6:
        packed += struct.pack("=Q", _ALL_SCOPES)
    return ctypes.create_string_buffer(packed, len(packed)), len(packed)


def _allow_reading(libc: ctypes.CDLL, ruleset: int, path: str) -> None:
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        is_folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        rights = _READ_FILE | _READ_DIR if is_folder else _READ_FILE
        rule = struct.pack("=Qi", rights, descriptor)
        _call(libc, _ADD_RULE, ruleset, _PATH_BENEATH, ctypes.create_string_buffer(rule, len(rule)), 0)
    finally:
        os.close(descriptor)


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _call(libc: ctypes.CDLL, number: int, *arguments: object) -> int:
    result = int(libc.syscall(number, *arguments))
    if result < 0:
        raise OSError(ctypes.get_errno(), f"Landlock call {number} was refused")
    return result
