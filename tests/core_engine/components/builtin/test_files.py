"""Reading and writing files."""

from __future__ import annotations

import os

import pytest

from core_engine.kernel.component import StepPolicy
from shared.contract.run import RunMode
from shared.errors import ErrorCode, FloworkError


async def test_lines_are_counted_like_wc_and_awk_do(run, root) -> None:
    (root / "log").write_bytes("one\r\ntwo\x0b\x1c\u2028still two\n\nlast".encode() + b"\xff")
    data = (await run("read_file", {"path": "log", "output": "lines"})).outputs["success"].data
    assert data["lines"] == ["one", "two\x0b\x1c\u2028still two", "", "last\ufffd"]
    assert data["line_count"] == 4
    assert data["size_bytes"] == (root / "log").stat().st_size
    assert data["path"] == str(root / "log")


async def test_text_is_handed_on_whole(run, root) -> None:
    (root / "note").write_text("a\nb\n")
    data = (await run("read_file", {"path": "note"})).outputs["success"].data
    assert (data["text"], data["line_count"]) == ("a\nb\n", 2)
    (root / "empty").write_text("")
    assert (await run("read_file", {"path": "empty"})).outputs["success"].data["line_count"] == 0
    (root / "wide").write_bytes("é".encode("utf-16"))
    assert (await run("read_file", {"path": "wide", "encoding": "utf-16"})).outputs["success"].data[
        "text"
    ] == "é"


@pytest.mark.parametrize(
    ("config", "code"),
    [
        ({"path": "none"}, ErrorCode.NOT_FOUND), ({"path": "../x"}, ErrorCode.FORBIDDEN),
        ({"path": "big", "max_mib": 0.000001}, ErrorCode.TOO_LARGE),
        ({"path": "big", "bad_bytes": "fail"}, ErrorCode.COMPONENT_FAILED),
    ],
)  # fmt: skip
async def test_files_that_cannot_be_read_are_refused(run, root, config, code: ErrorCode) -> None:
    (root / "big").write_bytes(b"\xff" * 100)
    with pytest.raises(FloworkError) as caught:
        await run("read_file", config)
    assert caught.value.code is code


async def test_a_file_is_written_whole_with_its_folders(run, root, registry) -> None:
    result = await run("write_file", {"path": "a/b/note.md", "content": "# é\n"})
    assert (root / "a/b/note.md").read_text() == "# é\n"
    assert os.listdir(root / "a/b") == ["note.md"]  # noqa: PTH208 - names only
    data = result.outputs["success"].data
    assert (data["path"], data["size_bytes"]) == (str(root / "a/b/note.md"), 5)
    assert len(data["sha256"]) == 64
    assert registry.find("write_file").policy is StepPolicy.KEYED


async def test_what_is_written_by_default_and_how_json_looks(run, root) -> None:
    await run("write_file", {"path": "t"}, {"text": "the text", "other": 1})
    await run("write_file", {"path": "j"}, {"a": 1})
    await run("write_file", {"path": "l", "content": [1]})
    assert [(root / name).read_text() for name in "tjl"] == ["the text", '{\n  "a": 1\n}\n', "[\n  1\n]\n"]


async def test_an_existing_file_is_replaced_and_keeps_its_permissions(run, root) -> None:
    (root / "x").write_text("old and longer")
    (root / "x").chmod(0o600)
    reader = (root / "x").open()
    await run("write_file", {"path": "x", "content": "new"})
    assert (root / "x").read_text() == "new"
    assert (root / "x").stat().st_mode & 0o777 == 0o600
    assert reader.read() == "old and longer"  # who had it open sees the old file whole
    reader.close()


async def test_a_repeated_attempt_clears_what_the_crashed_one_left(run, root, step, monkeypatch) -> None:
    def crash(*args, **kwargs):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", crash)
        with pytest.raises(KeyboardInterrupt):
            await run("write_file", {"path": "x", "content": "one"})
    assert not (root / "x").exists()
    assert len(list(root.iterdir())) == 1
    step.attempt = 2
    await run("write_file", {"path": "x", "content": "one"})
    assert [entry.name for entry in root.iterdir()] == ["x"]


async def test_a_failed_write_leaves_the_old_file_and_nothing_else(run, root, monkeypatch) -> None:
    (root / "x").write_text("old")

    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space"):
            await run("write_file", {"path": "x", "content": "new"})
    assert [entry.name for entry in root.iterdir()] == ["x"]
    assert (root / "x").read_text() == "old"


@pytest.mark.parametrize("path", ["../x", "/etc/x", ".hidden", "folder"])
async def test_places_that_may_not_be_written_are_refused(run, root, path: str) -> None:
    (root / "folder").mkdir()
    with pytest.raises(FloworkError) as caught:
        await run("write_file", {"path": path, "content": "x"})
    assert caught.value.code is ErrorCode.FORBIDDEN


async def test_simulating_writes_nothing_and_tells_the_same(run, root) -> None:
    earnest = (await run("write_file", {"path": "a/x", "content": "c"})).outputs["success"].data
    simulated = await run("write_file", {"path": "b/x", "content": "c"}, mode=RunMode.SIMULATE)
    assert simulated.outputs["success"].data["sha256"] == earnest["sha256"]
    assert not (root / "b").exists()
