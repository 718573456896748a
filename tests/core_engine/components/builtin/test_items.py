"""The items of a loop out of files: lines of JSON, a large array, a table; broken and changed ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core_engine.components.builtin.for_each import items
from core_engine.components.files import RootedFiles
from shared.errors import ErrorCode, FloworkError

TRICKY = [
    {"text": 'a ] " } \\ , [', "deep": [[1, {"x": []}], []]}, "plain ] text", "", 0,
    -1.5e3, True, None, [], {}, "ü€𝄞\\",
]  # fmt: skip


@pytest.fixture
def files(tmp_path: Path) -> RootedFiles:
    return RootedFiles([tmp_path / "files"], tmp_path / "data")


def read(
    files: RootedFiles, name: str, content: str | bytes, form: str = "auto", batch: int = 1
) -> list[Any]:
    raw = content if isinstance(content, bytes) else content.encode()
    (files.roots[0] / name).write_bytes(raw)
    return list(items.read_items(files, items.describe_file(files, name, form, batch)))


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("chunk", [1, 7, 65536])
def test_an_array_is_read_element_by_element(
    files: RootedFiles, monkeypatch: pytest.MonkeyPatch, indent: int | None, chunk: int
) -> None:
    monkeypatch.setattr(items, "_CHUNK", chunk)
    text = json.dumps(TRICKY, ensure_ascii=False, indent=indent)
    assert read(files, "a.json", text) == TRICKY
    assert read(files, "a.json", b"\xef\xbb\xbf" + text.encode()) == TRICKY
    assert read(files, "a.json", " [ ] ") == []


@pytest.mark.parametrize(
    "text", ["", "{}", "[1", "[1,", "[1,]", "[1 2]", "[,1]", '["a', "[{]}", "[}]", "[[1]"]
)
def test_a_broken_array_is_refused(files: RootedFiles, text: str) -> None:
    with pytest.raises(FloworkError):
        read(files, "a.json", text)


def test_lines_and_tables(files: RootedFiles) -> None:
    lines = "\n".join(json.dumps(item) for item in TRICKY)
    assert read(files, "a.ndjson", f"\n{lines}\n\n") == TRICKY
    assert read(files, "a.csv", 'name,age\n"Ada, L.",36\nBob,7\n') == [
        {"name": "Ada, L.", "age": "36"},
        {"name": "Bob", "age": "7"},
    ]
    assert read(files, "odd.txt", "[1, 2]", form="json") == [1, 2]


def test_batches(files: RootedFiles) -> None:
    assert read(files, "a.ndjson", "1\n2\n3\n4\n5\n", batch=2) == [[1, 2], [3, 4], [5]]


def test_a_broken_line_is_named(files: RootedFiles) -> None:
    with pytest.raises(FloworkError, match="Line 2 is no JSON value"):
        read(files, "a.ndjson", "1\n{\n")
    with pytest.raises(FloworkError):
        read(files, "deep.ndjson", "[" * 100_000)


def test_an_endless_line_is_refused(files: RootedFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(items, "LONGEST_ITEM", 50)
    for name, text in (
        ("a.ndjson", f'"{"x" * 60}"'),
        ("a.json", f'["{"x" * 60}"]'),
        ("a.csv", "n\n" + "x" * 60),
    ):
        with pytest.raises(FloworkError) as caught:
            read(files, name, text)
        assert caught.value.code is ErrorCode.TOO_LARGE


def test_a_changed_file_is_not_gone_on_with(files: RootedFiles) -> None:
    path = files.roots[0] / "a.ndjson"
    path.write_text("1\n")
    source = items.describe_file(files, "a.ndjson", "auto", 1)
    path.write_text("1\n2\n")
    with pytest.raises(FloworkError, match="has changed since"):
        list(items.read_items(files, source))


def test_a_file_outside_the_roots_is_refused(files: RootedFiles) -> None:
    with pytest.raises(FloworkError) as caught:
        items.describe_file(files, "/etc/passwd", "auto", 1)
    assert caught.value.code is ErrorCode.FORBIDDEN
