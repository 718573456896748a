"""A plugin of pytest: gives every Hypothesis test as many examples as ``FUZZ_EXAMPLES`` says."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, is_hypothesis_test, settings

_SETTINGS = "_hypothesis_internal_use_settings"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Change the settings of the tests that were collected."""
    count = int(os.environ["FUZZ_EXAMPLES"])
    for item in items:
        test = getattr(item, "obj", None)
        if test is not None and is_hypothesis_test(test):
            known = getattr(test, _SETTINGS, None) or settings()
            checks = list(HealthCheck)
            more = settings(known, max_examples=count, derandomize=False, suppress_health_check=checks)
            setattr(getattr(test, "__func__", test), _SETTINGS, more)
