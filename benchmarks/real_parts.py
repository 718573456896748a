"""The real servers that the tests start too: PostgreSQL, Redis, the whole platform, the web GUI's tools.

What a test skips for want of it, a benchmark reports as missing.
"""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Iterator
from typing import Any

import pytest

from benchmarks.figures import MissingError


def support(name: str) -> Any:
    """Return a module of the tests' support; its types are the tests' own."""
    return importlib.import_module(f"tests.support.{name}")


@contextlib.contextmanager
def or_missing() -> Iterator[None]:
    """Turn a test's skip into a `MissingError`."""
    try:
        yield
    except pytest.skip.Exception as skipped:
        raise MissingError(str(skipped)) from None
