"""Files and inputs that a command is given."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from flowork.terminal.files import parse_inputs, read_object, read_workflow
from shared.errors import ErrorCode, FloworkError


def test_inputs_are_text_or_json() -> None:
    given = ("name=Ada=1", "count:=5", 'tags:=["a"]', "empty=")
    assert parse_inputs(given) == {"name": "Ada=1", "count": 5, "tags": ["a"], "empty": ""}


@pytest.mark.parametrize("pair", ["novalue", "=x", ":=1", "n:={"])
def test_a_wrong_input_is_refused(pair: str) -> None:
    with pytest.raises(FloworkError) as caught:
        parse_inputs((pair,))
    assert caught.value.code is ErrorCode.INVALID_REQUEST


def test_a_workflow_is_the_graph_or_a_preset_around_it(tmp_path: Path) -> None:
    graph = {"nodes": [], "connections": []}
    bare, wrapped = tmp_path / "bare.json", tmp_path / "wrapped.json"
    bare.write_text(json.dumps(graph))
    wrapped.write_text(json.dumps({"name": "x", "workflow_data": graph}))
    assert read_workflow(str(bare)) == read_workflow(str(wrapped)) == graph


def test_a_bad_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FloworkError, match=r"nothing\.json") as missing:
        read_object(str(tmp_path / "nothing.json"))
    assert missing.value.code is ErrorCode.NOT_FOUND
    bad = tmp_path / "bad.json"
    bad.write_text('{"a": 1, "a": 2}')
    with pytest.raises(FloworkError, match=r"bad\.json") as caught:
        read_object(str(bad))
    assert caught.value.code is ErrorCode.INVALID_REQUEST
    with pytest.raises(FloworkError):
        read_object(str(tmp_path))
