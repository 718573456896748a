"""What all tests share: no test fails because the machine is busy, and all run with Python's own recursion limit."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

RECURSION_LIMIT = 1000
# Compiled once for this process and the hundreds that tests start, also where the environment forbids it.
BYTECODE = Path(__file__).resolve().parents[1] / "var" / "cache" / "bytecode"
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
os.environ["PYTHONPYCACHEPREFIX"] = sys.pycache_prefix = str(BYTECODE)
sys.dont_write_bytecode = False


@pytest.fixture(autouse=True)
def recursion_limit() -> None:
    """Undo what py_ecc does when a test's wallet imports it: it raises the limit until the C stack overflows.

    No server process imports it (a test holds them to that), so this is the limit that the product runs with.
    """
    sys.setrecursionlimit(RECURSION_LIMIT)
