"""The filter is run here by a small interpreter of classic BPF, for both processors."""

from __future__ import annotations

import ctypes
import ctypes.util
import errno
import os
import re
from pathlib import Path

import pytest

from core_engine.components.isolation import seccomp, syscalls

ALLOW, KILL = "allow", "kill"
AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
COLUMN = {"x86_64": 0, "aarch64": 1}
OWN = 4321


def judge(machine: str, number: int, *arguments: int, audit: int | None = None, **rights: bool) -> str | int:
    """Return allow, kill or the errno the filter gives."""
    program = seccomp.build(machine, OWN, **rights)
    words = {0: number, 4: AUDIT[machine] if audit is None else audit}
    for index in range(6):
        value = arguments[index] if index < len(arguments) else 0
        words[16 + 8 * index] = value & 0xFFFFFFFF
    accumulator, position = 0, 0
    while True:
        code, if_true, if_false, value = program[position]
        position += 1
        if code == 0x20:
            accumulator = words[value]
        elif code == 0x54:
            accumulator &= value
        elif code == 0x15:
            position += if_true if accumulator == value else if_false
        elif code == 0x35:
            position += if_true if accumulator >= value else if_false
        elif value == 0x7FFF0000:
            return ALLOW
        elif value == 0x80000000:
            return KILL
        else:
            assert value >> 16 == 5
            return value & 0xFFFF


@pytest.fixture(params=sorted(AUDIT))
def machine(request: pytest.FixtureRequest) -> str:
    return request.param


def number(machine: str, name: str) -> int:
    found = syscalls.NUMBERS[name][COLUMN[machine]]
    assert found is not None
    return found


def test_every_listed_call_without_a_rule_is_refused(machine: str) -> None:
    special = syscalls.ALLOWED_WHEN.keys() | syscalls.REFUSED_WHEN.keys()
    for name, numbers in syscalls.NUMBERS.items():
        if name not in special and numbers[COLUMN[machine]] is not None:
            assert judge(machine, number(machine, name), 1, 2, 3) == errno.EPERM, name


def test_ordinary_calls_pass(machine: str) -> None:
    listed = {numbers[COLUMN[machine]] for numbers in syscalls.NUMBERS.values()}
    for free in set(range(syscalls.FIRST_UNKNOWN)) - listed:
        assert judge(machine, free) == ALLOW


def test_a_call_of_another_processor_kills(machine: str) -> None:
    assert judge(machine, 1, audit=0x40000003) == KILL


def test_newer_calls_and_the_x32_spelling_are_refused(machine: str) -> None:
    assert judge(machine, syscalls.FIRST_UNKNOWN) == errno.ENOSYS
    assert judge(machine, 9999) == errno.ENOSYS
    assert judge(machine, 0x40000000 | 41) == errno.EPERM


def test_signals_and_limits_go_to_the_own_process_only(machine: str) -> None:
    for name in ("kill", "tgkill"):
        assert judge(machine, number(machine, name), OWN, 9) == ALLOW
        for other in (0, 1, OWN - 1, -1):
            assert judge(machine, number(machine, name), other, 9) == errno.EPERM
    for name in ("prlimit64", "sched_setaffinity"):
        assert judge(machine, number(machine, name), 0) == ALLOW
        assert judge(machine, number(machine, name), OWN) == ALLOW
        assert judge(machine, number(machine, name), 1) == errno.EPERM


def test_only_a_stream_socket_pair_can_be_made(machine: str) -> None:
    pair = number(machine, "socketpair")
    assert judge(machine, pair, 1, 1) == ALLOW
    assert judge(machine, pair, 1, 1 | 0o2000000) == ALLOW  # SOCK_CLOEXEC
    assert judge(machine, pair, 1, 2) == errno.EPERM  # a datagram socket could be pointed elsewhere
    assert judge(machine, pair, 2, 1) == errno.EPERM
    assert judge(machine, number(machine, "socket"), 1, 1) == errno.EPERM


def test_a_program_with_hosts_makes_tcp_sockets_only(machine: str) -> None:
    made = number(machine, "socket")
    tcp = [(2, 1, 0), (10, 1, 6), (2, 1 | 0o2004000, 6)]
    other = [
        (1, 1, 0),
        (2, 2, 0),
        (10, 2, 17),
        (2, 3, 1),
        (2, 1, 132),
        (2, 1, 262),
        (16, 3, 0),
        (17, 3, 0),
        (40, 1, 0),
    ]
    for arguments in tcp:
        assert judge(machine, made, *arguments, programs=True, network=True) == ALLOW
        assert judge(machine, made, *arguments, programs=True) == errno.EPERM
    for arguments in other:
        assert judge(machine, made, *arguments, programs=True, network=True) == errno.EPERM
    for name, opened in {"connect": True, "accept4": True, "bind": False, "listen": False}.items():
        seen = judge(machine, number(machine, name), 3, programs=True, network=True)
        assert seen == (ALLOW if opened else errno.EPERM)
        assert judge(machine, number(machine, name), 3, programs=True) == errno.EPERM


def test_arguments_that_reach_others_are_refused(machine: str) -> None:
    refused = {"fcntl": (8, 10, 15, 1026, 1031), "ioctl": (0x5412, 0x541C)}
    for name, values in refused.items():
        for value in values:
            assert judge(machine, number(machine, name), 3, value) == errno.EPERM
        assert judge(machine, number(machine, name), 3, 1) == ALLOW
    for option in (1, 35):
        assert judge(machine, number(machine, "prctl"), option) == errno.EPERM
    for option in (0, 2, 15, 34, 36):
        assert judge(machine, number(machine, "prctl"), option) == ALLOW


def test_jumps_fit_their_byte(machine: str) -> None:
    assert all(0 <= jump < 256 for line in seccomp.build(machine, OWN) for jump in line[1:3])
    assert len(seccomp.build(machine, OWN)) < 4096


def test_no_number_is_listed_twice(machine: str) -> None:
    numbers = [row[COLUMN[machine]] for row in syscalls.NUMBERS.values() if row[COLUMN[machine]] is not None]
    assert len(numbers) == len(set(numbers))


def test_this_machine_is_supported() -> None:
    assert seccomp.supported() == (os.uname().machine in AUDIT)


def test_the_numbers_agree_with_the_kernels_headers() -> None:
    """Where the headers are installed every number is compared; these few are checked everywhere."""
    spot = {
        "clone": (56, 220),
        "execve": (59, 221),
        "socket": (41, 198),
        "bpf": (321, 280),
        "clone3": (435, 435),
    }
    assert {name: syscalls.NUMBERS[name] for name in spot} == spot
    for column, path in enumerate(
        ("/usr/include/x86_64-linux-gnu/asm/unistd_64.h", "/usr/include/asm-generic/unistd.h")
    ):
        if not Path(path).exists():
            continue
        found = dict(re.findall(r"#define __NR(?:3264)?_(\w+) (\d+)", Path(path).read_text()))
        for name, numbers in syscalls.NUMBERS.items():
            if numbers[column] is not None and name in found:
                assert int(found[name]) == numbers[column], name


def test_every_number_agrees_with_a_library_that_knows_them() -> None:
    name = ctypes.util.find_library("seccomp")
    if name is None:
        pytest.skip(
            "libseccomp is not installed: the numbers of the system calls are not compared with its own"
        )
    resolve = ctypes.CDLL(name).seccomp_syscall_resolve_name_arch
    resolve.argtypes = [ctypes.c_uint32, ctypes.c_char_p]
    known = 0
    for call, numbers in (syscalls.NUMBERS | syscalls.OPENING).items():
        for machine, column in COLUMN.items():
            found = resolve(AUDIT[machine], call.encode())
            if found != -1:  # newer than the library
                known += 1
                assert numbers[column] == (found if found >= 0 else None), (call, machine)
    assert known > 250


def test_without_files_nothing_is_opened_by_name(machine: str) -> None:
    for name, numbers in syscalls.OPENING.items():
        number = numbers[COLUMN[machine]]
        if number is not None:
            assert judge(machine, number) == ALLOW, name
            assert judge(machine, number, files=False) == errno.EPERM, name
    for name in ("socket", "execve", "ptrace", "mount", "bpf"):
        assert judge(machine, syscalls.NUMBERS[name][COLUMN[machine]] or 0, 1, files=False) == errno.EPERM, (
            name
        )


def test_what_starts_programs_starts_them_without_new_namespaces(machine: str) -> None:
    clone = number(machine, "clone")
    assert judge(machine, clone, 0x11, programs=True) == ALLOW
    for flag in (0x80, 0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000):
        assert judge(machine, clone, 0x11 | flag, programs=True) == errno.EPERM, hex(flag)
    assert judge(machine, number(machine, "clone3"), programs=True) == errno.ENOSYS
    assert judge(machine, number(machine, "clone3")) == errno.EPERM
    for name in ("execve", "kill", "setsid"):
        assert judge(machine, number(machine, name), 1, programs=True) == ALLOW
    for name in ("ptrace", "mount", "unshare", "bpf", "socket"):
        assert judge(machine, number(machine, name), 1, programs=True) == errno.EPERM


def test_such_a_one_gives_no_file_the_rights_of_its_owner(machine: str) -> None:
    for name, place in {"chmod": 1, "fchmod": 1, "fchmodat": 2}.items():
        call = syscalls.NUMBERS[name][COLUMN[machine]]
        if call is None:
            continue
        for mode, verdict in ((0o755, ALLOW), (0o4755, errno.EPERM), (0o2755, errno.EPERM)):
            arguments = [0] * place + [mode]
            assert judge(machine, call, *arguments, programs=True) == verdict
            assert judge(machine, call, *arguments) == errno.EPERM


def test_the_first_number_that_is_not_known_is_the_first_of_the_others(machine: str) -> None:
    assert judge(machine, 0x40000000 - 1) == errno.ENOSYS
    assert judge(machine, 0x40000000) == errno.EPERM
    assert judge(machine, 0xFFFFFFFF) == errno.EPERM
    highest = max(row[COLUMN[machine]] or 0 for row in syscalls.NUMBERS.values())
    assert syscalls.FIRST_UNKNOWN == highest + 1 == 451


def test_a_kernel_that_takes_no_filter_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    class Libc:
        def prctl(self, *given: object) -> int:
            return -1

    monkeypatch.setattr(ctypes, "CDLL", lambda *given, **more: Libc())
    with pytest.raises(OSError, match="the system call filter was refused"):
        seccomp.install(files=True, programs=False, network=False)


def test_what_the_kernel_says_against_a_filter_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seccomp, "_FILTER_MODE", 99)
    with pytest.raises(OSError, match="the system call filter was refused") as caught:
        seccomp.install(files=True, programs=False, network=False)
    assert caught.value.errno == errno.EINVAL


def test_only_comparisons_jump(machine: str) -> None:
    """Kernels ignore the jumps of other instructions so far."""
    for rights in ({}, {"files": False}, {"programs": True}, {"programs": True, "network": True}):
        for code, if_true, if_false, _ in seccomp.build(machine, OWN, **rights):
            assert code in {0x15, 0x35} or (if_true, if_false) == (0, 0)


def test_the_filter_is_handed_over_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[tuple[object, ...]] = []

    class Libc:
        def prctl(self, *arguments: object) -> int:
            given.append(arguments)
            return 0

    monkeypatch.setattr(ctypes, "CDLL", lambda *given, **more: Libc())
    seccomp.install(files=False, programs=True, network=True)
    (arguments,) = given
    assert (arguments[:2], arguments[3:]) == ((22, 2), (0, 0))
    assert len(arguments) == 5
