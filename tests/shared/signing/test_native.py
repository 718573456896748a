"""The native library: there, or a clear refusal to start."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from shared.errors import ErrorCode
from shared.signing import native
from shared.signing.native import require_native_backend
from tests.shared.signing.examples import refused

ROOT = Path(__file__).resolve().parents[3]


def test_with_the_native_library_the_process_starts() -> None:
    require_native_backend()


def test_without_the_native_library_the_process_refuses_to_start() -> None:
    program = (
        "import sys; sys.modules['coincurve'] = None\n"
        "from shared.errors import FloworkError\n"
        "import shared.signing.envelope, shared.signing.rest, shared.signing.keys\n"
        "from shared.signing.native import require_native_backend\n"
        "try: require_native_backend()\n"
        "except FloworkError as error: print(error.code, error.meaning.exit, error.message)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.startswith("CONFIGURATION 78 ")
    assert "coincurve" in done.stdout


def test_a_library_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "coincurve", None)
    with refused(ErrorCode.CONFIGURATION, saying="coincurve"):
        require_native_backend()
