"""Files that are read or replaced as a whole: within the limit, and never half written."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

import pytest

from core_engine.components import whole_files
from core_engine.components.whole_files import MIB, read_whole, receipt, replace_file, write_whole
from shared.errors import ErrorCode, FloworkError
from tests.core_engine.components.conftest import Step


def test_a_file_is_read_up_to_the_last_byte_that_is_allowed(step: Step, root: Path) -> None:
    assert MIB == 1024 * 1024
    (root / "a").write_bytes(b"x" * (MIB // 2))
    assert read_whole(step, "a", 0.5) == b"x" * (MIB // 2)
    (root / "a").write_bytes(b"x" * (MIB // 2 + 1))
    with pytest.raises(FloworkError, match=r"a is larger than 0\.5 MiB") as caught:
        read_whole(step, "a", 0.5)
    assert caught.value.code is ErrorCode.TOO_LARGE


def test_writing_tells_what_is_there_now(step: Step, root: Path) -> None:
    told = write_whole(step, "new/a.txt", b"content")
    assert told == {
        "path": str(root / "new" / "a.txt"), "size_bytes": 7, "sha256": hashlib.sha256(b"content").hexdigest(),
    }  # fmt: skip
    assert (root / "new" / "a.txt").read_bytes() == b"content"
    assert receipt("p", b"")["size_bytes"] == 0


def test_a_file_keeps_its_permissions_and_a_new_one_is_readable(root: Path) -> None:
    mask = os.umask(0o022)
    try:
        replace_file(root / "new", b"1", "key")
        assert stat.S_IMODE((root / "new").stat().st_mode) == 0o644
        (root / "new").chmod(0o700)
        replace_file(root / "new", b"2", "key")
        assert stat.S_IMODE((root / "new").stat().st_mode) == 0o700
        assert (root / "new").read_bytes() == b"2"
    finally:
        os.umask(mask)


def test_what_an_earlier_attempt_left_is_cleared_away_and_nothing_of_this_one_stays(root: Path) -> None:
    target = root / "a"
    mark = hashlib.sha256(f"{target}\nkey".encode()).hexdigest()[:24]
    left = root / f".{mark}.tmp"
    left.write_bytes(b"half")
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - counted, not walked
    replace_file(target, b"whole", "key")
    assert {path.name: path.read_bytes() for path in root.iterdir()} == {"a": b"whole"}
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208 - counted, not walked


def test_a_link_in_the_temporary_files_place_is_not_followed(root: Path, tmp_path: Path) -> None:
    target = root / "a"
    mark = hashlib.sha256(f"{target}\nkey".encode()).hexdigest()[:24]
    (tmp_path / "victim").write_text("unharmed")
    (root / f".{mark}.tmp").symlink_to(tmp_path / "victim")
    replace_file(target, b"new", "key")
    assert (tmp_path / "victim").read_text() == "unharmed"
    assert not target.is_symlink()


def test_a_file_put_in_the_temporary_files_place_meanwhile_is_not_written_to(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody else who may write there is quick, and links a file that only we may write."""
    victim, unlink = tmp_path / "victim", os.unlink
    victim.write_text("unharmed")

    def quick(name: str, **more: int) -> None:
        try:
            unlink(name, **more)
        finally:
            os.link(victim, root / name)

    monkeypatch.setattr(os, "unlink", quick)
    with pytest.raises(FileExistsError):
        replace_file(root / "a", b"new", "key")
    assert victim.read_text() == "unharmed"
    assert not (root / "a").exists()


def test_new_content_does_not_get_the_rights_of_an_owner_nor_those_of_what_a_link_leads_to(
    root: Path, tmp_path: Path
) -> None:
    (root / "a").write_bytes(b"old")
    (root / "a").chmod(0o6755)
    replace_file(root / "a", b"new", "key")
    assert stat.S_IMODE((root / "a").stat().st_mode) == 0o755
    (tmp_path / "elsewhere").write_bytes(b"unharmed")
    (tmp_path / "elsewhere").chmod(0o700)
    (root / "b").symlink_to(tmp_path / "elsewhere")
    replace_file(root / "b", b"new", "key")
    assert stat.S_IMODE((root / "b").lstat().st_mode) == 0o644
    assert (tmp_path / "elsewhere").read_bytes() == b"unharmed"


@pytest.mark.parametrize("step_that_fails", ["replace", "fsync"])
def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(
    root: Path, monkeypatch: pytest.MonkeyPatch, step_that_fails: str
) -> None:
    (root / "a").write_bytes(b"old")

    def broken(*given: object, **more: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, step_that_fails, broken)
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - counted, not walked
    with pytest.raises(OSError, match="No space left"):
        replace_file(root / "a", b"new", "key")
    assert {path.name: path.read_bytes() for path in root.iterdir()} == {"a": b"old"}
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208 - counted, not walked


def test_content_and_folder_are_synced_before_and_after_the_rename(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    fsync, replace = os.fsync, os.replace

    def synced(descriptor: int) -> None:
        done.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        if done[-1] == "file":
            assert os.fstat(descriptor).st_size == 3
        fsync(descriptor)

    def renamed(*given: str, **more: int) -> None:
        done.append("rename")
        replace(*given, **more)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "replace", renamed)
    replace_file(root / "a", b"abc", "key")
    assert done == ["file", "rename", "folder"]
    assert whole_files.receipt("a", b"abc")["size_bytes"] == 3
