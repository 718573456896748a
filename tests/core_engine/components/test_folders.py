"""What a look into the folders of workflows shows, and what it keeps to itself."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from core_engine.components import folders
from core_engine.components.files import RootedFiles
from core_engine.components.folders import FolderBrowser, looks_secret
from shared.errors import ErrorCode, FloworkError


@pytest.fixture
def browser(tmp_path: Path, root: Path) -> FolderBrowser:
    return FolderBrowser(RootedFiles([root], tmp_path / "data"))


def names(browser: FolderBrowser, path: str = ".") -> list[str]:
    return [item.name for item in browser.list(path).items]


def test_folders_come_first_and_then_files_by_name(browser: FolderBrowser, root: Path) -> None:
    for name in ("b.txt", "A.txt", "c.txt"):
        (root / name).write_text("12345")
    for name in ("Zoo", "alps"):
        (root / name).mkdir()
    os.utime(root / "A.txt", ns=(0, 1_700_000_000_123_456_789))
    found = browser.list(".")
    assert (found.path, found.truncated) == (root, False)
    assert [item.name for item in found.items] == ["alps", "Zoo", "A.txt", "b.txt", "c.txt"]
    assert [item.is_dir for item in found.items] == [True, True, False, False, False]
    assert [item.size for item in found.items] == [None, None, 5, 5, 5]
    assert found.items[2].modified == 1_700_000_000_123
    assert found.items[0].path == root / "alps"
    assert browser.roots == (root,)


@pytest.mark.parametrize(
    "name",
    [
        ".env", ".ssh", "server.pem", "a.KEY", "id_rsa", "ID_ED25519", "my credentials.txt", "passwords.csv",
        "passwd", "mnemonic", "seed phrase.txt", "seed_phrase", "seedphrase", "private key", "private-key.txt",
        "client_secret.json", "token.txt", "prod.env.local", "main.wallet", "keys.kdbx", "keys.kdb",
    ],
)  # fmt: skip
def test_what_looks_like_a_secret_is_not_shown(browser: FolderBrowser, root: Path, name: str) -> None:
    assert looks_secret(name)
    (root / name).write_text("x")
    (root / "plain.txt").write_text("x")
    assert names(browser) == ["plain.txt"]


@pytest.mark.parametrize(
    "name", ["report.md", "keyboard.txt", "monkey.png", "environment.csv", "seeds.txt", "pem"]
)
def test_what_only_resembles_one_is_shown(name: str) -> None:
    assert not looks_secret(name)


def test_pipes_links_that_leave_loops_and_odd_names_are_left_out(
    browser: FolderBrowser, root: Path, tmp_path: Path
) -> None:
    (tmp_path / "outside").mkdir()
    (root / "folder").mkdir()
    (root / "plain.txt").write_text("x")
    os.mkfifo(root / "pipe")
    for name, target in {
        "out": tmp_path / "outside", "loop": root / "loop", "gone": root / "none", "in": root / "folder",
        "file": root / "plain.txt",
    }.items():  # fmt: skip
        (root / name).symlink_to(target)
    (root / "two\nlines").write_text("x")
    for raw in (b"\x80", b"\xff", b"\xed\xa0\x80", b"\xed\xbf\xbf", b"right\xe2\x80\xaeto left"):
        Path(os.fsdecode(os.fsencode(root) + b"/" + raw)).write_text("x")
    found = {item.name: item.is_dir for item in browser.list(".").items}
    assert found == {"folder": True, "in": True, "file": False, "plain.txt": False}


def test_the_engines_own_folders_are_not_shown(tmp_path: Path) -> None:
    for name in ("engine", "files"):
        (tmp_path / "data" / name).mkdir(parents=True)
    browser = FolderBrowser(RootedFiles([tmp_path, tmp_path / "data" / "files"], tmp_path / "data"))
    assert "data" not in names(browser)
    with pytest.raises(FloworkError) as caught:
        browser.list("data")
    assert caught.value.code is ErrorCode.FORBIDDEN


def test_of_very_many_some_are_shown_and_said_to_be_some(
    browser: FolderBrowser, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (folders.MOST_ITEMS, folders.MOST_SEEN) == (2000, 100_000)
    for number in range(6):
        (root / f"{number}.txt").write_text("x")
    for most, shown, truncated in ((7, 6, False), (6, 6, False), (5, 5, True)):
        monkeypatch.setattr(folders, "MOST_ITEMS", most)
        found = browser.list(".")
        assert (len(found.items), found.truncated) == (shown, truncated)
        assert [item.name for item in found.items] == [f"{number}.txt" for number in range(shown)]
    monkeypatch.setattr(folders, "MOST_ITEMS", 10)
    for seen, shown, truncated in ((7, 6, False), (6, 6, False), (5, 5, True)):
        monkeypatch.setattr(folders, "MOST_SEEN", seen)
        found = browser.list(".")
        assert (len(found.items), found.truncated) == (shown, truncated)


def test_a_file_or_nothing_is_no_folder_and_looking_leaves_nothing_open(
    browser: FolderBrowser, root: Path
) -> None:
    (root / "a.txt").write_text("x")
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - counted, not walked
    for path, code in (
        ("a.txt", ErrorCode.NOT_FOUND),
        ("none", ErrorCode.NOT_FOUND),
        ("/", ErrorCode.FORBIDDEN),
    ):
        with pytest.raises(FloworkError) as caught:
            browser.list(path)
        assert caught.value.code is code
    browser.list(".")
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208 - counted, not walked


def test_a_folder_that_cannot_be_read_is_a_refusal(
    browser: FolderBrowser, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(descriptor: int) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "scandir", broken)
    with pytest.raises(FloworkError, match="cannot be read: Permission denied") as caught:
        browser.list(".")
    assert caught.value.code is ErrorCode.FORBIDDEN
