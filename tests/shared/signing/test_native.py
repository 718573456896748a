"""The native library: there, or a clear refusal to start."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from shared.errors import ErrorCode
from shared.signing import native
from shared.signing.native import keccak, require_native_backend
from tests.shared.signing.examples import refused

ROOT = Path(__file__).resolve().parents[3]


def test_with_the_native_library_the_process_starts() -> None:
    require_native_backend()


@pytest.mark.parametrize(("module", "package"), [("coincurve", "coincurve"), ("sha3", "safe-pysha3")])
def test_without_a_native_library_the_process_refuses_to_start(module: str, package: str) -> None:
    program = (
        f"import sys; sys.modules[{module!r}] = None\n"
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
    assert package in done.stdout


@pytest.mark.parametrize(
    ("data", "digest"),
    [
        (b"", "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"),
        (b"abc", "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45"),
        (b"a" * 136, "a6c4d403279fe3e0af03729caada8374b5ca54d8065329a3ebcaeb4b60aa386e"),
    ],
)
def test_the_hash_is_ethereums(data: bytes, digest: str) -> None:
    assert keccak(data).hex() == digest


def test_a_library_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "coincurve", None)
    with refused(ErrorCode.CONFIGURATION, saying="coincurve"):
        require_native_backend()
