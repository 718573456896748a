"""Names of presets."""

from __future__ import annotations

import pytest

from core_engine.presets.names import LONGEST, clean_name
from shared.errors import ErrorCode, FloworkError


@pytest.mark.parametrize(
    ("given", "cleaned"),
    [
        ("Daily", "Daily"),
        ("  a b ", "a b"),
        ("Cafe\u0301", "Caf\u00e9"),
        ("👩‍🚀", "👩‍🚀"),
        ("x" * LONGEST, "x" * LONGEST),
    ],
)
def test_a_name_has_one_spelling(given: str, cleaned: str) -> None:
    assert clean_name(given) == cleaned
    assert clean_name(cleaned) == cleaned


@pytest.mark.parametrize(
    "name", ["", " ", "a\tb", "\x7f", "a\u2028b", "\u202eb", "\ud800", "x" * (LONGEST + 1)]
)
def test_what_cannot_be_a_name_is_refused(name: str) -> None:
    with pytest.raises(FloworkError) as caught:
        clean_name(name)
    assert caught.value.code is ErrorCode.INVALID_REQUEST
    assert caught.value.details[0]["field"] == "name"
