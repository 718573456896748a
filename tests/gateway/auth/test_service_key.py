"""The secret shared with the engine."""

from __future__ import annotations

import pytest

from gateway.auth.service_key import ServiceKey
from shared.errors import FloworkError


def test_without_a_secret_everybody_is_admitted_but_nobody_proven() -> None:
    key = ServiceKey("")
    assert key.admits("")
    assert key.admits("anything")
    with pytest.raises(FloworkError):
        key.require("")


def test_with_a_secret_only_the_secret_is() -> None:
    key = ServiceKey("flork_sec_x")
    key.require("flork_sec_x")
    for wrong in ("", "flork_sec_", "flork_sec_xx", "ÿ", "\ud800"):
        assert not key.admits(wrong)
        with pytest.raises(FloworkError):
            key.require(wrong)
