"""The system call filter of a locked process: a classic BPF program, built here and handed to the kernel."""

from __future__ import annotations

import ctypes
import errno
import os
import struct

from core_engine.components.isolation import syscalls
from core_engine.components.isolation.syscalls import SELF, Condition

_ARCHITECTURES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
_X32_BIT = 0x40000000

_LOAD, _AND, _RETURN = 0x20, 0x54, 0x06
_EQUAL, _AT_LEAST = 0x15, 0x35
_ALLOW, _ERRNO, _KILL = 0x7FFF0000, 0x00050000, 0x80000000

_PR_SET_SECCOMP, _FILTER_MODE = 22, 2

Instruction = tuple[int, int, int, int]


def supported() -> bool:
    """Tell whether filters can be built for this processor."""
    return os.uname().machine in _ARCHITECTURES


def build(
    machine: str, own_pid: int, *, files: bool = True, programs: bool = False, network: bool = False
) -> list[Instruction]:
    """Return the filter as BPF instructions ``(code, jump if true, jump if false, value)``.

    ``own_pid`` is the process the filter is for: it may signal and limit itself, nobody else. ``files`` tells
    whether files can be reached by name, within what other walls leave open, ``programs`` whether programs can be
    started, ``network`` whether TCP can be used; all are only for where those walls hold.
    """
    column, audit = _ARCHITECTURES[machine]
    program: list[Instruction] = [
        (_LOAD, 0, 0, 4),
        (_EQUAL, 1, 0, audit),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, 0),
        *_refuse_from(_X32_BIT, errno.EPERM),
        *_refuse_from(syscalls.FIRST_UNKNOWN, errno.ENOSYS),
    ]
    left = (syscalls.PROGRAMS if programs else frozenset()) | (syscalls.NETWORK if network else frozenset())
    ruled = (syscalls.PROGRAMS_WHEN if programs else {}) | (syscalls.NETWORK_WHEN if network else {})
    refused = syscalls.NUMBERS if files else syscalls.NUMBERS | syscalls.OPENING
    for name, numbers in refused.items():
        number = numbers[column]
        if number is None or name in left:
            continue
        if name in ruled:
            body = _allow_when(ruled[name], own_pid)
        elif programs and name == "clone3":
            body = [
                (_RETURN, 0, 0, _ERRNO | errno.ENOSYS)
            ]  # its flags cannot be judged; libraries fall back to clone
        else:
            body = _judge(name, own_pid)
        program += [(_EQUAL, 0, len(body), number), *body]
    return [*program, (_RETURN, 0, 0, _ALLOW)]


def install(*, files: bool, programs: bool, network: bool) -> None:
    """Put this process under the filter, for good. Needs ``no_new_privs``; raises OSError."""
    program = build(os.uname().machine, os.getpid(), files=files, programs=programs, network=network)
    code = b"".join(struct.pack("=HBBI", *instruction) for instruction in program)
    buffer = ctypes.create_string_buffer(code, len(code))
    header = ctypes.create_string_buffer(struct.pack("HL", len(program), ctypes.addressof(buffer)))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_SECCOMP, _FILTER_MODE, ctypes.byref(header), 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "the system call filter was refused")


def _judge(name: str, own_pid: int) -> list[Instruction]:
    if name in syscalls.ALLOWED_WHEN:
        return _allow_when(syscalls.ALLOWED_WHEN[name], own_pid)
    if name in syscalls.REFUSED_WHEN:
        return _refuse_when(syscalls.REFUSED_WHEN[name])
    return [(_RETURN, 0, 0, _ERRNO | errno.EPERM)]


def _allow_when(conditions: tuple[Condition, ...], own_pid: int) -> list[Instruction]:
    body: list[Instruction] = []
    for condition in conditions:
        values = [own_pid if value == SELF else value for value in condition.values]
        body += _load(condition)
        # a hit jumps over the other comparisons and over the refusal
        body += [(_EQUAL, len(values) - index, 0, value) for index, value in enumerate(values)]
        body.append((_RETURN, 0, 0, _ERRNO | errno.EPERM))
    return [*body, (_RETURN, 0, 0, _ALLOW)]


def _refuse_when(condition: Condition) -> list[Instruction]:
    count = len(condition.values)
    hits: list[Instruction] = [
        (_EQUAL, count - index, 0, value) for index, value in enumerate(condition.values)
    ]
    return [*_load(condition), *hits, (_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _ERRNO | errno.EPERM)]


def _load(condition: Condition) -> list[Instruction]:
    # both processors are little-endian: the low half of an argument comes first
    return [(_LOAD, 0, 0, 16 + 8 * condition.argument), (_AND, 0, 0, condition.mask)]


def _refuse_from(number: int, code: int) -> list[Instruction]:
    return [(_AT_LEAST, 0, 1, number), (_RETURN, 0, 0, _ERRNO | code)]
