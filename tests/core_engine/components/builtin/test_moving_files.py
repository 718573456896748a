"""Listing, moving, copying, deleting and checking files."""

from __future__ import annotations

import errno
import hashlib
import os
from typing import Any

import pytest
from pydantic import ValidationError

from core_engine.kernel.component import StepPolicy
from shared.contract.run import RunMode
from shared.errors import ErrorCode, FloworkError


@pytest.fixture
def tree(root):
    for name, size, changed in (
        ("b.csv", 3, 100),
        ("a.csv", 5, 300),
        ("sub/c.csv", 1, 200),
        ("sub/d.txt", 9, 50),
    ):
        path = root / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * size)
        os.utime(path, (changed, changed))
    (root / "in/.hidden.csv").write_text("h")
    (root / "in/.git").mkdir()
    (root / "in/.git/e.csv").write_text("h")
    (root / "in/out").symlink_to("/etc")
    (root / "in/passwd.csv").symlink_to("/etc/passwd")
    (root / "in/loop").symlink_to(root / "in")
    return root / "in"


async def names(run, **config: Any) -> list[str]:
    data = (await run("list_files", {"folder": "in", **config})).outputs["success"].data
    assert data["count"] == len(data["items"])
    return [item["relative_path"] for item in data["items"]]


async def test_files_are_listed_sorted_and_nothing_outside_or_hidden(run, tree) -> None:
    assert await names(run) == ["a.csv", "b.csv"]
    assert await names(run, recursive=True) == ["a.csv", "b.csv", "sub/c.csv", "sub/d.txt"]
    assert await names(run, recursive=True, pattern="*.csv", order="size") == ["sub/c.csv", "b.csv", "a.csv"]
    assert await names(run, recursive=True, order="modified", descending=True) == [
        "a.csv", "sub/c.csv", "b.csv", "sub/d.txt",
    ]  # fmt: skip
    assert await names(run, recursive=True, pattern="sub/*.t?t") == ["sub/d.txt"]
    assert await names(run, kind="folders") == ["loop", "sub"]
    assert await names(run, recursive=True, newer_than_seconds=86_400) == []
    item = (await run("list_files", {"folder": "in"})).outputs["success"].data["items"][0]
    assert (item["size_bytes"], item["kind"], item["modified"]) == (
        5,
        "file",
        "1970-01-01T00:05:00.000+00:00",
    )
    assert item["path"] == str(tree / "a.csv")


async def test_a_long_list_is_cut_and_says_so(run, tree, step) -> None:
    data = (await run("list_files", {"folder": "in", "recursive": True, "limit": 2})).outputs["success"].data
    assert (data["count"], data["truncated"]) == (2, True)
    assert step.logs[0][0] == "WARN"


@pytest.mark.parametrize(
    ("folder", "code"),
    [("../", ErrorCode.FORBIDDEN), ("/etc", ErrorCode.FORBIDDEN), ("in/out", ErrorCode.FORBIDDEN),
     ("none", ErrorCode.NOT_FOUND), ("in/.git", ErrorCode.FORBIDDEN)],
)  # fmt: skip
async def test_folders_outside_are_not_listed(run, tree, folder: str, code: ErrorCode) -> None:
    with pytest.raises(FloworkError) as caught:
        await run("list_files", {"folder": folder})
    assert caught.value.code is code


async def test_a_file_is_copied_moved_and_renamed(run, tree, root) -> None:
    copied = await run("move_file", {"action": "copy", "path": "in/a.csv", "target": "done/x/"})
    assert copied.outputs["success"].data["target"] == str(root / "done/x/a.csv")
    assert (tree / "a.csv").read_bytes() == (root / "done/x/a.csv").read_bytes()
    await run("move_file", {"path": "in/a.csv", "target": "moved.csv"})
    assert not (tree / "a.csv").exists()
    assert (root / "moved.csv").read_bytes() == b"xxxxx"
    await run("move_file", {"action": "rename", "path": "moved.csv", "target": "renamed.csv"})
    assert (root / "renamed.csv").exists()
    assert not (root / "moved.csv").exists()


@pytest.mark.parametrize("action", ["copy", "move", "rename"])
async def test_what_is_there_stays_unless_asked(run, root, action: str) -> None:
    (root / "a").write_text("new")
    (root / "b").write_text("old")
    config = {"action": action, "path": "a", "target": "b"}
    with pytest.raises(FloworkError) as caught:
        await run("move_file", config)
    assert caught.value.code is ErrorCode.CONFLICT
    assert ((root / "a").read_text(), (root / "b").read_text()) == ("new", "old")
    await run("move_file", {**config, "overwrite": True})
    assert (root / "b").read_text() == "new"
    assert {path.name for path in root.iterdir()} == ({"a", "b"} if action == "copy" else {"b"})


async def test_a_move_to_another_disk_is_a_copy(run, root, monkeypatch: pytest.MonkeyPatch) -> None:
    (root / "a").write_text("content")
    real = os.link

    def link(source: str, target: str, **keywords: Any) -> None:
        if source == "a":
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        real(source, target, **keywords)

    monkeypatch.setattr(os, "link", link)
    await run("move_file", {"path": "a", "target": "b"})
    assert [(path.name, path.read_text()) for path in root.iterdir()] == [("b", "content")]


async def test_deleting_goes_to_the_trash_or_is_for_good(run, root) -> None:
    for number in range(2):
        (root / "a.txt").write_text(str(number))
        await run(
            "move_file", {"action": "delete", "path": "a.txt"}, idempotency_key=f"run-key-number-{number}"
        )
    assert sorted(path.read_text() for path in (root / "trash").iterdir()) == ["0", "1"]
    assert all(path.suffix == ".txt" for path in (root / "trash").iterdir())
    (root / "b").write_text("b")
    data = (
        (await run("move_file", {"action": "delete", "path": "b", "for_good": True})).outputs["success"].data
    )
    assert (data["target"], (root / "b").exists()) == (None, False)
    again = {"action": "delete", "path": "b", "for_good": True, "missing": "ignore"}
    assert (await run("move_file", again)).outputs["success"].data["done"] is False
    with pytest.raises(FloworkError) as caught:
        await run("move_file", {**again, "missing": "fail"})
    assert caught.value.code is ErrorCode.NOT_FOUND


@pytest.mark.parametrize(
    "config",
    [
        {"path": "../x", "target": "y"}, {"path": "a", "target": "../y"}, {"path": "a", "target": "/tmp/y"},
        {"path": "a", "target": ".hidden"}, {"path": "a", "target": "folder"}, {"path": "link", "target": "y"},
        {"path": "a", "action": "delete", "trash": "../trash"}, {"path": "/etc/hostname", "target": "y"},
    ],
)  # fmt: skip
async def test_no_way_out_of_the_folders(run, root, config: dict[str, Any]) -> None:
    (root / "a").write_text("a")
    (root / "folder").mkdir()
    (root / "link").symlink_to("/etc/hostname")
    with pytest.raises(FloworkError) as caught:
        await run("move_file", config)
    assert caught.value.code is ErrorCode.FORBIDDEN
    assert (root / "a").read_text() == "a"


@pytest.mark.parametrize(
    ("config", "policy"),
    [
        ({"action": "move", "target": "y"}, StepPolicy.ONCE), ({"action": "delete"}, StepPolicy.ONCE),
        ({"action": "copy", "target": "y", "overwrite": True}, StepPolicy.KEYED),
        ({"action": "delete", "missing": "ignore"}, StepPolicy.KEYED),
    ],
)  # fmt: skip
def test_only_what_ends_the_same_is_repeated(registry, config, policy: StepPolicy) -> None:
    component = registry.find("move_file")
    assert component.policy_for(component.parse_config({"path": "x", **config})) is policy


@pytest.mark.parametrize(
    "config", [{}, {"action": "rename", "target": "a/b"}, {"action": "burn"}, {"path": ""}]
)
def test_wrong_settings_are_named(registry, config: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as caught:
        registry.find("move_file").parse_config({"path": "x", **config})
    error = caught.value.errors()[0]
    assert any(word in str(error["loc"]) + error["msg"] for word in ("target", "action", "path"))


@pytest.mark.parametrize("action", ["copy", "move", "delete"])
async def test_simulating_moves_nothing(run, root, action: str) -> None:
    (root / "a").write_text("a")
    config = {"action": action, "path": "a", "target": "b/", "trash": "t"}
    data = (await run("move_file", config, mode=RunMode.SIMULATE)).outputs["success"].data
    assert data["simulated"] is True
    assert [path.name for path in root.iterdir()] == ["a"]


async def test_a_checksum_is_computed_and_compared(run, root) -> None:
    (root / "f").write_bytes(b"content")
    wanted = hashlib.sha256(b"content").hexdigest()
    data = (await run("checksum", {"path": "f"})).outputs["success"].data
    assert (data["checksum"], data["size_bytes"], data["matches"]) == (wanted, 7, None)
    for spelled in (wanted, f" SHA256:{wanted.upper()} "):
        assert (await run("checksum", {"path": "f", "expected": spelled})).outputs["success"].data["matches"]
    with pytest.raises(FloworkError, match="another sha256 than expected"):
        await run("checksum", {"path": "f", "expected": "00"})
    other = {"path": "f", "expected": "é", "at_mismatch": "continue", "algorithm": "md5"}
    assert (await run("checksum", other)).outputs["success"].data["matches"] is False
    with pytest.raises(FloworkError) as caught:
        await run("checksum", {"path": "../f"})
    assert caught.value.code is ErrorCode.FORBIDDEN
