"""The web GUI: its unit tests, its build, and a first visit in a real Chromium against the real platform."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from tests.support import gui
from tests.support.up import running

# whoever comes first installs the packages, and the others wait for that
pytestmark = pytest.mark.timeout(900)

MOST_INITIAL_BYTES = 300 * 1000


def test_units_types_and_style(page_folder: Path) -> None:
    assert page_folder.is_dir()
    gui.run("tsc", "-p", ".", seconds=200)
    gui.run("prettier", "--check", ".", seconds=200)
    gui.run("vitest", "run", seconds=280)


def test_the_page_is_small_and_asks_nobody_else(page_folder: Path) -> None:
    index = (page_folder / "index.html").read_text()
    assert "http://" not in index
    assert "https://" not in index
    assert "<style" not in index
    loaded = [file for file in (page_folder / "assets").iterdir() if file.name in index]
    assert loaded
    packed = sum(len(gzip.compress(file.read_bytes())) for file in loaded if file.suffix == ".js")
    assert packed <= MOST_INITIAL_BYTES


def test_in_a_browser(page_folder: Path, tmp_path: Path) -> None:
    assert (page_folder / "index.html").is_file()
    with running(tmp_path, ENGINE_VITALS_SECONDS="0.5", GATEWAY_PAGE="auto") as up:
        claim = up.wait_line(r"(http://127\.0\.0\.1:\d+/#claim=\S+&engine=\S+)")
        gui.browse(
            seconds=840, output=tmp_path / "browser",
            FLOWORK_E2E_URL=claim.partition("/#")[0], FLOWORK_E2E_CLAIM=claim,
            FLOWORK_E2E_SOCKET=up.wait_line(r"Engine +(ws://\S+)"),
        )  # fmt: skip
