"""The GUI's build: with the machine's Node, only when stale, swapped in whole, and a clear word where it fails."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from pathlib import Path
from types import ModuleType

import pytest

SETUP = Path(__file__).resolve().parents[3] / "deploy" / "setup"
VITE = """#!/bin/sh
[ "$1" = --version ] && echo "v%s" && exit 0
echo "node $@" >> "%s"
%s
shift 2
while [ $# -gt 0 ]; do [ "$1" = --outDir ] && out="$2"; shift; done
mkdir -p "$out/assets" && echo new > "$out/index.html" && echo code > "$out/assets/a.js"
"""
NPM = """#!/bin/sh
echo "npm $@" >> "%s"
%s
mkdir -p node_modules && echo '{}' > node_modules/.package-lock.json
"""


@pytest.fixture
def builder() -> ModuleType:
    spec = importlib.util.spec_from_file_location("build_gui", SETUP / "build_gui.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["build_gui"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout whose machine has a Node that does as it is told."""
    (tmp_path / "gui" / "src").mkdir(parents=True)
    (tmp_path / "gui" / "public").mkdir()
    (tmp_path / "gui" / "src" / "main.tsx").write_text("1")
    (tmp_path / "gui" / "package-lock.json").write_text("{}")
    machine(tmp_path)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    return tmp_path


def machine(root: Path, *, version: str = "22.12.0", vite: str = "", npm: str = "") -> None:
    calls = root / "calls.txt"
    (root / "bin").mkdir(exist_ok=True)
    for name, text in (("node", VITE % (version, calls, vite)), ("npm", NPM % (calls, npm))):
        program = root / "bin" / name
        program.write_text(text)
        program.chmod(0o755)


def calls(root: Path) -> list[str]:
    file = root / "calls.txt"
    return file.read_text().splitlines() if file.exists() else []


def test_it_installs_builds_and_swaps(builder: ModuleType, checkout: Path) -> None:
    page = checkout / "gateway" / "gui"
    page.mkdir(parents=True)
    (page / "old.js").write_text("old")
    assert builder.main([], builder.Places(checkout)) == 0
    assert sorted(path.name for path in page.rglob("*") if path.is_file()) == ["a.js", "index.html"]
    npm, node = calls(checkout)
    assert npm.startswith("npm ci --ignore-scripts")
    assert "vite.js build" in node
    assert builder.main([], builder.Places(checkout)) == 0
    assert len(calls(checkout)) == 3, "what is installed already is not installed again"


def test_a_fresh_page_is_left_alone_until_a_source_changes(builder: ModuleType, checkout: Path) -> None:
    places = builder.Places(checkout)
    assert builder.is_stale(places)
    assert builder.main(["--if-stale"], places) == 0
    count = len(calls(checkout))
    assert builder.main(["--if-stale"], places) == 0
    assert len(calls(checkout)) == count
    later = (places.page / "index.html").stat().st_mtime + 10
    os.utime(checkout / "gui" / "src" / "main.tsx", (later, later))
    assert builder.main(["--if-stale"], places) == 0
    assert len(calls(checkout)) == count + 1


@pytest.mark.parametrize("step", ["vite", "npm"])
def test_a_failure_shows_the_tools_words_and_keeps_the_old_page(
    builder: ModuleType, checkout: Path, capsys: pytest.CaptureFixture[str], step: str
) -> None:
    places = builder.Places(checkout)
    assert builder.main([], places) == 0
    later = (checkout / "gui" / "node_modules" / ".package-lock.json").stat().st_mtime + 10
    os.utime(checkout / "gui" / "package-lock.json", (later, later))
    machine(checkout, **{step: "echo the disk is full; exit 3"})
    assert builder.main([], places) == 1
    told = capsys.readouterr().err
    assert "  the disk is full" in told
    assert "flowork: the web GUI was not built: " in told
    assert builder.main(["--optional"], places) == 0
    assert "WARNING" in (told := capsys.readouterr().err)
    assert "the one that was built before" in told
    assert (places.page / "index.html").read_text() == "new\n"


def test_without_sources_or_with_wrong_words_it_says_so(
    builder: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert builder.main([], builder.Places(tmp_path)) == 1
    assert "there are no sources in" in capsys.readouterr().err
    assert builder.main(["--optional"], builder.Places(tmp_path)) == 0
    assert "a plain page is shown instead" in capsys.readouterr().err
    assert builder.main(["--maybe"], builder.Places(tmp_path)) == 1
    assert "usage" in capsys.readouterr().err


def test_npm_is_shown_from_its_first_lines_for_the_cause_stands_there(
    builder: ModuleType, checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    machine(
        checkout, npm="echo the cause; for line in 1 2 3 4 5 6 7 8 9 10 11 12 13; do echo usage; done; exit 1"
    )
    assert builder.main([], builder.Places(checkout)) == 1
    assert "  the cause" in capsys.readouterr().err


def test_the_lock_file_pins_every_package_for_every_platform() -> None:
    """With one missing, `npm ci` refuses to install anything, on every machine."""
    packages = json.loads((SETUP.parents[1] / "gui" / "package-lock.json").read_text())["packages"]
    names = {path.rpartition("node_modules/")[2] for path in packages}
    wanted = {name for entry in packages.values() for name in entry.get("optionalDependencies", {})}
    assert wanted <= names
    assert [path for path, entry in packages.items() if path and "integrity" not in entry] == []


@pytest.mark.parametrize(
    ("version", "fits"),
    [
        ("20.18.3", False),
        ("20.19.0", True),
        ("21.7.0", False),
        ("22.12.0", True),
        ("24.1.0", True),
        ("x", False),
    ],
)
def test_which_node_is_new_enough(builder: ModuleType, checkout: Path, version: str, fits: bool) -> None:
    machine(checkout, version=version)
    found = builder.find_node()
    assert (found is not None and found.node == (str(checkout / "bin" / "node"),)) is fits
