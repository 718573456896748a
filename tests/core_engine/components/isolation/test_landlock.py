from __future__ import annotations

import errno
import fcntl
import json
import os
import shutil
import socket
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from core_engine.components.isolation import landlock


@pytest.mark.parametrize(
    ("version", "size", "rights"),
    [(1, 8, 13), (2, 8, 14), (3, 8, 15), (4, 16, 15), (5, 16, 16), (6, 24, 16), (7, 24, 16)],
)
def test_the_rule_set_asks_for_all_the_kernel_knows(version: int, size: int, rights: int) -> None:
    buffer, length = landlock._attributes(version)
    assert length == size
    assert int.from_bytes(buffer.raw[:8], "little") == (1 << rights) - 1
    if size > 8:
        assert int.from_bytes(buffer.raw[8:16], "little") == 3


def test_a_restricted_process_reads_only_what_it_was_left(tmp_path) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "open" / "a").write_text("a")
    (tmp_path / "closed").write_text("b")
    code = """
import ctypes, sys
sys.path.insert(0, sys.argv[2])
from core_engine.components.isolation import landlock
ctypes.CDLL(None).prctl(38, 1, 0, 0, 0)
folder = sys.argv[1]
landlock.restrict([folder + "/open", folder + "/none", sys.prefix])
print(open(folder + "/open/a").read())
for path, mode in (("/closed", "r"), ("/open/new", "w"), ("/open/a", "a")):
    try:
        open(folder + path, mode)
    except PermissionError:
        print("refused")
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path), str(Path.cwd())],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout.split() == ["a", "refused", "refused", "refused"]


ATTEMPTS = """
import ctypes, errno, fcntl, json, os, socket, sys
sys.path.insert(0, sys.argv[1])
from core_engine.components.isolation import landlock
given = json.loads(sys.argv[2])
folder = given["folder"]

def at(name):
    return os.path.join(folder, name)

def write(name, mode):
    with open(at(name), mode) as file:
        file.write("x")

def run(name):
    pid = os.posix_spawn(at(name), [name], {})
    if os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) != 0:
        raise PermissionError

def connect(port):
    with socket.socket() as made:
        made.connect(("127.0.0.1", port))

def bind(port):
    with socket.socket() as made:
        made.bind(("127.0.0.1", port))

def ask_device():
    with open("/dev/null", "w") as device:
        fcntl.ioctl(device, 0x5401)

def connect_abstract():
    with socket.socket(socket.AF_UNIX) as made:
        made.connect(chr(0) + given["abstract"])

attempts = {
    "read": lambda: open(at("read/a")).read(),
    "list": lambda: os.listdir(at("read")),
    "write": lambda: write("read/a", "r+"),
    "cut": lambda: os.truncate(at("read/a"), 0),
    "make": lambda: write("read/new", "w"),
    "make folder": lambda: os.mkdir(at("read/new")),
    "remove": lambda: os.unlink(at("read/a")),
    "run": lambda: run("read/true"),
    "one: read": lambda: open(at("one")).read(),
    "one: run": lambda: run("one-true"),
    "one: write": lambda: write("one", "r+"),
    "own: read": lambda: open(at("own/a")).read(),
    "own: list": lambda: os.listdir(at("own")),
    "own: write": lambda: write("own/a", "r+"),
    "own: cut": lambda: os.truncate(at("own/a"), 0),
    "own: make": lambda: write("own/new", "w"),
    "own: make folder": lambda: os.mkdir(at("own/folder")),
    "own: remove folder": lambda: os.rmdir(at("own/folder")),
    "own: link": lambda: os.symlink("a", at("own/link")),
    "own: move": lambda: os.rename(at("own/new"), at("own/sub/new")),
    "own: remove": lambda: os.unlink(at("own/a")),
    "own: run": lambda: run("own/true"),
    "one own: write": lambda: write("one-own", "r+"),
    "one own: cut": lambda: os.truncate(at("one-own"), 0),
    "one own: run": lambda: run("one-own-true"),
    "device": ask_device,
    "elsewhere": lambda: open(at("closed")).read(),
    "connect": lambda: connect(given["port"]),
    "connect to a low port": lambda: connect(1),
    "connect elsewhere": lambda: connect(given["other"]),
    "bind": lambda: bind(0),
    "bind there": lambda: bind(given["port"]),
    "abstract socket": connect_abstract,
    "signal": lambda: os.kill(os.getppid(), 0),
}
ctypes.CDLL(None).prctl(38, 1, 0, 0, 0)
landlock.restrict(
    [at("read"), at("one"), at("one-true"), at("none"), "/lib", "/lib64", "/usr"],
    [at("own"), at("one-own"), at("one-own-true"), "/dev/null"],
    **({"programs": True} if given["programs"] else {}), **({"port": given["port"]} if given["network"] else {}),
)
done = []
for name, attempt in attempts.items():
    try:
        attempt()
        done.append(name)
    except OSError as error:
        if error.errno in {errno.EADDRINUSE, errno.ENOTTY, errno.ECONNREFUSED}:  # it came so far
            done.append(name)
print(json.dumps(done))
"""
READING = ["read", "list"]
OWN = [
    "own: read", "own: list", "own: write", "own: cut", "own: make", "own: make folder", "own: remove folder",
    "own: link", "own: move", "own: remove",
]  # fmt: skip
ONE_OWN = ["one own: write", "one own: cut"]
OTHERS = [] if landlock.abi() >= 6 else ["abstract socket", "signal"]


def program_that_ends() -> bytes:
    """Return a program that needs nothing but itself: it ends with code 0."""
    machine, code = {
        "x86_64": (62, "31ff b83c000000 0f05"),
        "aarch64": (183, "a80b80d2 000080d2 010000d4"),
    }[os.uname().machine]
    start, head = 0x400000, 64 + 56
    body = bytes.fromhex(code)
    elf = b"\x7fELF\x02\x01\x01" + bytes(9)
    elf += struct.pack("<HHIQQQIHHHHHH", 2, machine, 1, start + head, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    size = head + len(body)
    return elf + struct.pack("<IIQQQQQQ", 1, 5, 0, start, start, size, size, 0x1000) + body


def attempted(folder: Path, **given: bool) -> list[str]:
    for name in ("read", "own", "own/sub"):
        (folder / name).mkdir()
    for name in ("read/a", "own/a", "one", "one-own", "closed"):
        (folder / name).write_text("abc")
    for name in ("read/true", "one-true"):
        shutil.copy("/bin/true", folder / name)
    for name in ("own/true", "one-own-true"):  # no loader elsewhere has to be run for these
        (folder / name).write_bytes(program_that_ends())
        (folder / name).chmod(0o755)
    with (
        socket.create_server(("127.0.0.1", 0)) as open_one,
        socket.create_server(("127.0.0.1", 0)) as other,
        socket.socket(socket.AF_UNIX) as abstract,
    ):
        name = f"flowork-test-{os.getpid()}-{folder.name}"
        abstract.bind(f"\0{name}")
        abstract.listen()
        facts = {
            "abstract": name,
            "folder": str(folder),
            "port": open_one.getsockname()[1],
            "other": other.getsockname()[1],
        }
        done = subprocess.run(
            [sys.executable, "-c", ATTEMPTS, str(Path(landlock.__file__).parents[3]), json.dumps(facts | given)],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout))


def test_what_is_left_to_read_to_write_to_run_and_to_connect_to(tmp_path: Path) -> None:
    assert attempted(tmp_path, programs=False, network=False) == [
        *READING, "one: read", *OWN, *ONE_OWN, "device", *OTHERS,
    ]  # fmt: skip


def test_with_programs_what_is_readable_can_be_run_and_one_port_be_reached(tmp_path: Path) -> None:
    assert attempted(tmp_path, programs=True, network=True) == [
        *READING, "run", "one: read", "one: run", *OWN, "own: run", *ONE_OWN, "one own: run", "device", "connect",
        *OTHERS,
    ]  # fmt: skip


def test_nothing_is_left_open_by_it() -> None:
    """In this process the rules are only prepared: the kernel refuses what is not there."""
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - counted, not walked
    with pytest.raises(OSError, match="Landlock call 446 was refused"):
        landlock._call(landlock._libc(), 446, -1, 0)
    with pytest.raises(OSError, match="Landlock call 445 was refused") as caught:
        landlock._allow(landlock._libc(), -1, "/usr", 1)
    assert caught.value.errno == errno.EBADF
    landlock._allow(landlock._libc(), -1, "/nowhere", 1)
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208 - counted, not walked


def test_a_kernel_without_it_has_version_0(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[object, ...]] = []

    class Libc:
        def syscall(self, *given: object) -> int:
            asked.append(given)
            return -1

    assert landlock.abi() == landlock._libc().syscall(444, None, 0, 1) > 0
    monkeypatch.setattr(landlock, "_libc", Libc)
    assert landlock.abi() == 0
    assert asked == [(444, None, 0, 1)]


def test_the_rules_come_before_the_wall_which_has_no_exceptions(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Nothing is opened to be read by naming it: a pipe without a writer would hold the child up."""
    os.mkfifo(tmp_path / "pipe")
    asked: list[tuple[Any, ...]] = []
    opened: list[int] = []

    class Libc:
        def syscall(self, number: int, *given: Any) -> int:
            asked.append((number, *given))
            if number == 445:
                _, descriptor = struct.unpack("=Qi", given[2].raw)
                assert fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_PATH
            if number == 444:
                opened.append(os.open("/dev/null", os.O_RDONLY))
                return opened[-1]
            return 0

    monkeypatch.setattr(landlock, "_libc", Libc)
    monkeypatch.setattr(landlock, "abi", lambda: 6)
    landlock.restrict(["/usr"], [str(tmp_path / "pipe")])
    (ruleset,) = opened
    assert [call[0] for call in asked] == [444, 445, 445, 446]
    assert asked[-1] == (446, ruleset, 0)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(ruleset)
