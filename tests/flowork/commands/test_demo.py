"""``flowork demo`` from start to end, on a small log of one's own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from click.testing import CliRunner

from flowork.cli import cli
from flowork.demo import material
from flowork.demo.material import Workplace, example
from flowork.supervisor.service import CHECKOUT
from shared.errors import ErrorCode, FloworkError

LINES = (
    '192.0.2.1 - - [10/Oct/2025:13:55:36 +0000] "GET /index.html?x=1 HTTP/1.1" 200 2326 "-" "test"\n'
    '192.0.2.2 - - [10/Oct/2025:13:56:36 +0000] "GET /index.html HTTP/1.1" 200 1000 "-" "test"\n'
    '192.0.2.2 - - [10/Oct/2025:14:00:00 +0000] "POST /pay HTTP/1.1" 503 10 "-" "test"\n'
    "this line is broken\n"
)


def demo(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    # A real platform's settings in the environment must not disturb.
    environment = dict(os.environ) | {"DATABASE_URL": "postgresql://nowhere/x", "GATEWAY_PORT": "1"}
    return subprocess.run(
        [sys.executable, "-m", "flowork", "demo", *words],
        cwd=folder, env=environment | {"PYTHONPATH": str(CHECKOUT)}, capture_output=True, text=True, check=False,
        timeout=90,
    )  # fmt: skip


def test_the_whole_demo_on_ones_own_log(tmp_path: Path) -> None:
    log = tmp_path / "my.log"
    log.write_text(LINES)
    done = demo(tmp_path, "--input", "my.log")
    assert done.returncode == 0, done.stdout + done.stderr
    for expected in (
        "A new wallet identity: 0x",
        "The gateway runs: http://127.0.0.1:",
        "Registered the engine",
        "The engine is online: ws://127.0.0.1:",
        "RUNNING Read the access log",
        "SUCCESS Save the report",
        "POPUP   Web server report",
        "Run SUCCEEDED",
        "Report: var/demo/files/report.md",
        "make up",
    ):
        assert expected in done.stdout, expected
    report = (tmp_path / "var/demo/files/report.md").read_text()
    assert "| Lines read | 4 |" in report
    assert "| /pay | 1 |" in report
    assert log.read_text() == LINES
    assert sorted(path.name for path in (tmp_path / "var/demo").iterdir()) == ["files"]
    mine = str(tmp_path)
    assert not [
        item
        for item in psutil.process_iter(["environ"])
        if mine in str((item.info["environ"] or {}).get("FLOWORK_DATA_DIR"))
    ]


def test_a_missing_file_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(cli, ["demo", "--input", "nothing.log"])
    assert done.exit_code == 66
    assert done.stderr == "Error: There is no file nothing.log.\n"


def test_the_folder_is_fresh_and_never_anothers(tmp_path: Path) -> None:
    place = Workplace(tmp_path / "demo")
    place.clear()
    (place.files / "old.txt").write_text("x")
    place.clear()
    assert list(place.files.iterdir()) == []
    hidden = tmp_path / ".secret.log"
    hidden.write_text("x")
    assert place.take_in(hidden) == "input/secret.log"
    place.forget_data()
    assert [path.name for path in place.folder.iterdir()] == ["files"]
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").write_text("x")
    link = tmp_path / "link"
    link.symlink_to(precious)
    with pytest.raises(FloworkError) as caught:
        Workplace(link).clear()
    assert caught.value.code is ErrorCode.CONFLICT
    assert (precious / "file").exists()


def test_examples_are_found_beside_the_code_or_named_as_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert example(material.WORKFLOW).is_file()
    monkeypatch.setattr(material, "_PLACES", (tmp_path / "none", tmp_path))
    (tmp_path / "x.json").write_text("{}")
    assert example("x.json") == tmp_path / "x.json"
    with pytest.raises(FloworkError, match="checkout"):
        example(material.WORKFLOW)
