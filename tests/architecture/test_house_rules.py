"""The rules of the house that no linter knows: sizes, forbidden calls, feature folders, secrets in the tree."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("shared", "gateway", "core_engine", "flowork", "tools")
SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
MAX_MODULE_LINES = 400
MAX_FUNCTION_LINES = 60

FORBIDDEN = {
    "pickle": "data of others must not name code to run",
    "yaml.load": "data of others must not name code to run",
    "tarfile": "link tricks escape its filters",
    "shell=True": "commands are argument lists",
    "os.system": "commands are argument lists",
    "time.time()": "time comes from a Clock",
}
# Where a forbidden word is right, and why.
ALLOWED: dict[tuple[str, str], str] = {
    ("core_engine/components/builtin/archive/packing.py", "tarfile"): "only writes, regular files only",
    ("flowork/deployment/backup.py", "tarfile"): "only writes, regular files only",
    ("flowork/deployment/restore.py", "tarfile"): "takes regular files with safe names, writes them itself",
    ("core_engine/components/builtin/extract_archive/unpacking.py", "tarfile"): (
        "reads headers and regular content; its extraction and filters are not used"
    ),
}


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_module_and_functions_stay_small(path: Path) -> None:
    text = path.read_text()
    assert text.count("\n") <= MAX_MODULE_LINES
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno < MAX_FUNCTION_LINES, node.name


@pytest.mark.parametrize("word", FORBIDDEN)
def test_forbidden_calls_are_absent(word: str) -> None:
    pattern = re.compile(rf"(?<![\w.]){re.escape(word)}" + (r"(?!\w)" if word[-1].isalnum() else ""))
    found = {relative(path) for path in SOURCES if pattern.search(_code(path))}
    assert found == {name for name, allowed in ALLOWED if allowed == word}, FORBIDDEN[word]


def test_no_code_is_made_from_text_outside_the_isolated_child() -> None:
    found = set()
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in {"eval", "exec"}
            ):
                found.add(relative(path))
    assert all(name.startswith("core_engine/components/isolation/tasks/") for name in found), found


def test_registers_are_found_by_walking_not_by_lists() -> None:
    builtin = ROOT / "core_engine" / "components" / "builtin"
    folders = {path.name for path in builtin.iterdir() if path.is_dir() and path.name != "__pycache__"}
    for folder in sorted(folders):
        assert {"component.py", "icon.svg", "example.json"} <= {
            path.name for path in (builtin / folder).iterdir()
        }


def test_no_secret_is_committed() -> None:
    shapes = re.compile(r"dev_engine_[0-9a-f]{32}|flork_sec_[0-9a-f]{32,}|-----BEGIN [A-Z ]*PRIVATE KEY")
    files = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.split(
        b"\0"
    )
    for name in filter(None, files):
        path = ROOT / name.decode()
        if path.suffix not in {".png", ".log", ".svg"} and path.is_file():
            assert not shapes.search(path.read_text(errors="replace")), name


def _code(path: Path) -> str:
    return "\n".join(_without_strings(path.read_text()))


def _without_strings(text: str) -> Iterator[str]:
    strings = {
        (node.lineno, node.end_lineno)
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    }
    hidden = {line for first, last in strings for line in range(first, (last or first) + 1)}
    for number, line in enumerate(text.splitlines(), 1):
        if number not in hidden:
            yield line.split("#")[0]
