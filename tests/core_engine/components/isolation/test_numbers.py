"""Where the engine is root, a control group limits a child's processes; here its folders are ordinary ones."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path, PosixPath
from types import SimpleNamespace

import psutil
import pytest

from core_engine.components.isolation import numbers
from core_engine.components.isolation.numbers import ProcessLimit
from shared.errors import ErrorCode, FloworkError


class Group(PosixPath):
    """A folder that behaves like one of the kernel's: made with its files, and gone with them unless it is in use."""

    def mkdir(self, *_: object, **__: object) -> None:  # type: ignore[override]
        """Make it as the kernel does."""
        super().mkdir()
        for name in ("pids.max", "cgroup.procs"):
            Path(self, name).write_text("")

    def write_text(self, data: str, *_: object, **__: object) -> int:  # type: ignore[override]
        """Add to what is there, as the kernel does."""
        with Path(self).open("a") as file:
            return file.write(f"{data}\n")

    def rmdir(self) -> None:
        """Remove it unless it is in use."""
        if Path(self, "busy").exists():
            raise OSError(errno.EBUSY, "busy")
        for file in Path(self).iterdir():
            file.unlink()
        super().rmdir()


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Where groups are made; the engine is root."""
    monkeypatch.setattr(numbers, "_PLACES", (Group(tmp_path / "missing"), Group(tmp_path)))
    monkeypatch.setattr(os, "getuid", lambda: 0)
    return tmp_path


@pytest.fixture
def family() -> Iterator[psutil.Popen]:
    """A process with a child and a grandchild."""
    code = "import subprocess, sys, time\nmore = sys.argv[1:]\n"
    code += (
        "if more: subprocess.Popen([sys.executable, '-c', *more])\nprint('up', flush=True)\ntime.sleep(100)"
    )
    with psutil.Popen([sys.executable, "-c", code, code, code], stdout=subprocess.PIPE) as first:
        assert [first.stdout.readline() for _ in range(3)] == [b"up\n"] * 3
        yield first
        for process in [*first.children(recursive=True), first]:
            process.kill()


def test_the_kernel_limits_every_user_but_root(
    monkeypatch: pytest.MonkeyPatch, place: Path, family: psutil.Popen
) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 1000)
    ProcessLimit.around(family.pid).remove()
    assert list(place.iterdir()) == []


def test_all_that_a_child_has_running_is_put_into_a_group(place: Path, family: psutil.Popen) -> None:
    limit = ProcessLimit.around(family.pid)
    (group,) = place.iterdir()
    assert group.name.startswith(f"flowork-{os.getpid()}-")
    assert (group / "pids.max").read_text() == "66"
    inside = [int(line) for line in (group / "cgroup.procs").read_text().split()]
    assert sorted(inside) == sorted(child.pid for child in family.children(recursive=True))
    assert len(inside) == 2
    limit.remove()
    assert list(place.iterdir()) == []
    limit.remove()  # it is gone


def test_a_child_that_has_ended_has_no_group(place: Path) -> None:
    with subprocess.Popen(["/bin/sleep", "100"]) as alone:
        for pid, told in ((alone.pid, "the child has ended"), (2**22 + 1, "PID not found")):
            with pytest.raises(FloworkError, match=f"No control group: .*{told}") as caught:
                ProcessLimit.around(pid)
            assert caught.value.code is ErrorCode.SANDBOX_UNAVAILABLE
        alone.kill()
    assert list(place.iterdir()) == []


def test_a_group_is_removed_when_its_last_process_is_buried(
    monkeypatch: pytest.MonkeyPatch, place: Path
) -> None:
    group, slept, now = Group(place / "flowork-1-a"), list[float](), [5.0]

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        now[0] += 1.0
        if len(slept) == 3:
            (place / "flowork-1-a" / "busy").unlink()

    clock = SimpleNamespace(monotonic=lambda: now[0], sleep=sleep)
    monkeypatch.setattr(numbers, "time", clock)
    group.mkdir()
    (place / "flowork-1-a" / "busy").touch()
    ProcessLimit(group).remove()
    assert slept == [0.01, 0.01]  # its two seconds are over
    assert list(place.iterdir()) == [Path(group)]
    ProcessLimit(group).remove()
    assert slept == [0.01] * 3
    assert list(place.iterdir()) == []


def test_groups_of_an_engine_that_is_gone_are_swept(place: Path) -> None:
    gone = place / f"flowork-{2**31 - 1}-b"
    kept = {place / name for name in (f"flowork-{os.getpid()}-a", "flowork-1-c", "flowork-nonsense", "other")}
    for group in (gone, *kept):
        Group(group).mkdir()
    made = numbers._make_group()
    assert set(place.iterdir()) == {Path(made), *kept}
    assert Path(made) not in kept


def test_a_place_that_takes_no_limit_is_left_as_it_was(
    monkeypatch: pytest.MonkeyPatch, place: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    plain = tmp_path_factory.mktemp("plain")
    monkeypatch.setattr(numbers, "_PLACES", (plain, Group(place)))
    assert numbers._make_group().parent == place
    assert list(plain.iterdir()) == []
    monkeypatch.setattr(numbers, "_PLACES", (plain,))
    with pytest.raises(FloworkError, match="Run the engine as another user") as caught:
        numbers._make_group()
    assert caught.value.code is ErrorCode.SANDBOX_UNAVAILABLE
