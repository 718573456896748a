"""`flowork audit verify` on files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from flowork.commands.audit import command
from flowork.terminal.session import Terminal
from shared.errors import FloworkError

EXPORT = (
    '{"type":"start","scope":"all","seq":0,"hash":"' + "0" * 64 + '"}\n'
    '{"type":"head","count":0,"seq":0,"hash":"' + "0" * 64 + '","digest":"DIGEST"}\n'
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    import hashlib

    digest = hashlib.sha256(EXPORT.splitlines(keepends=True)[0].encode()).hexdigest()
    path = tmp_path / "audit.ndjson"
    path.write_text(EXPORT.replace("DIGEST", digest))
    return path


def run(*words: str):
    return CliRunner().invoke(command, ["verify", *words], obj=Terminal({}))


def test_a_sound_file(file: Path) -> None:
    done = run(str(file))
    assert done.exit_code == 0
    assert "0 entries, unbroken. Head: " + "0" * 64 in done.output
    assert json.loads(run(str(file), "--json", "--head", "0" * 64).output)["scope"] == "all"


def test_another_head(file: Path) -> None:
    done = run(str(file), "--head", "1" * 64)
    assert isinstance(done.exception, FloworkError)
    assert "not the one given" in done.exception.message


def test_a_changed_file(file: Path) -> None:
    file.write_text(file.read_text().replace('"seq":0', '"seq":1', 1))
    done = run(str(file))
    assert isinstance(done.exception, FloworkError)
    assert done.exception.message.startswith("Line 2 ")
