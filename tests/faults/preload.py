"""Builds the small C libraries that are preloaded into a process whose disk is to fail."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent


def build(source: str, into: Path) -> str:
    """Compile a source of this folder and return the library's path; skips, by name, without a compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("no C compiler is installed: neither cc nor gcc was found")
    library = into / Path(source).with_suffix(".so").name
    command = [compiler, "-O1", "-shared", "-fPIC", "-o", str(library), str(FOLDER / source), "-ldl"]
    subprocess.run(command, check=True)
    return str(library)
