"""Landlock: from its call on, a process reads and writes only in the folders named for it."""

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
_PATH_BENEATH, _NETWORK_PORT = 1, 2
_CONNECT = 0b10
_EXECUTE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 2, 1 << 3
_ON_FILES = (
    _EXECUTE | 1 << 1 | _READ_FILE | 1 << 14 | 1 << 15
)  # write, truncate, ioctl: all a single file can have
_ALL_TCP = 0b11
_ALL_SCOPES = 0b11


def abi() -> int:
    """Return the kernel's version of Landlock, or 0 where there is none."""
    return max(0, int(_libc().syscall(_CREATE_RULESET, None, 0, _VERSION_FLAG)))


def restrict(
    readable: Sequence[str], writable: Sequence[str] = (), *, programs: bool = False, port: int = 0
) -> None:
    """Forbid this process all files but those named, all TCP, and other processes' sockets and signals.

    ``programs`` lets it run what it may read, ``port`` connect to that TCP port. Needs ``no_new_privs``.
    Paths that do not exist are left out. Raises OSError where the kernel refuses.
    """
    libc = _libc()
    ruleset = _call(libc, _CREATE_RULESET, *_attributes(abi()), 0)
    try:
        reading = _READ_FILE | _READ_DIR | (_EXECUTE if programs else 0)
        for path in readable:
            _allow(libc, ruleset, path, reading)
        everything = (1 << _rights(abi())) - 1
        for path in writable:
            _allow(libc, ruleset, path, everything if programs else everything & ~_EXECUTE)
        if port:
            rule = struct.pack("=QQ", _CONNECT, port)
            _call(libc, _ADD_RULE, ruleset, _NETWORK_PORT, ctypes.create_string_buffer(rule, len(rule)), 0)
        _call(libc, _RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)


def _attributes(version: int) -> tuple[ctypes.Array[ctypes.c_char], int]:
    packed = struct.pack("=Q", (1 << _rights(version)) - 1)
    if version >= NETWORK_ABI:
        packed += struct.pack("=Q", _ALL_TCP)
    if version >= 6:
        packed += struct.pack("=Q", _ALL_SCOPES)
    return ctypes.create_string_buffer(packed, len(packed)), len(packed)


def _rights(version: int) -> int:
    return 13 + (version >= 2) + (version >= 3) + (version >= 5)  # refer, truncate, ioctl on devices


def _allow(libc: ctypes.CDLL, ruleset: int, path: str, rights: int) -> None:
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        is_folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        rule = struct.pack("=Qi", rights if is_folder else rights & _ON_FILES, descriptor)
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
