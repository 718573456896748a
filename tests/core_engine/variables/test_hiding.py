"""Which texts give a secret away."""

from __future__ import annotations

import base64
import json
import re
from urllib.parse import quote, quote_plus

import pytest

from core_engine.variables.hiding import hidden_texts
from core_engine.workflow.failures import mask, mask_value

SECRET = 'pa"ss wörd/ä'


def test_every_spelling_of_a_value_is_hidden() -> None:
    hidden = hidden_texts([SECRET])
    raw = SECRET.encode()
    for text in (
        SECRET, json.dumps(SECRET), json.dumps(SECRET, ensure_ascii=False), quote(SECRET, safe=""), raw.hex(),
        base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode(),
    ):  # fmt: skip
        told = mask(f"x {text} y", hidden)
        assert "•••" in told
        assert text.strip('"') not in told


def test_values_inside_values_are_hidden_and_short_ones_are_not() -> None:
    hidden = hidden_texts([{"a": ["inner-secret", 12345678, "short", True, None]}])
    assert mask("inner-secret 12345678 short true null", hidden) == "••• ••• short true null"
    assert hidden_texts(["12345", "", None, True]) == ()


def test_the_longest_text_goes_first() -> None:
    hidden = hidden_texts(["secret", "secret-and-more"])
    assert mask("secret-and-more", hidden) == "•••"


@pytest.mark.parametrize("around", [b"", b"me:", b"user:", b"x" * 7])
def test_a_value_inside_what_was_encoded_is_hidden(around: bytes) -> None:
    """As in the header of a sign-in by name and password."""
    told = mask(base64.b64encode(around + SECRET.encode() + b"!!").decode(), hidden_texts([SECRET]))
    assert "•••" in told
    assert len(told.replace("•••", "")) <= len(base64.b64encode(around)) + 8


def test_lines_of_a_value_of_many_are_hidden_one_by_one() -> None:
    key = "-----BEGIN KEY-----\n  MIIEvQIBADANBgkqhkiG\r\nshort\n-----END KEY-----\n"
    hidden = hidden_texts([key])
    assert mask("read: MIIEvQIBADANBgkqhkiG", hidden) == "read: •••"
    assert mask("a short one", hidden) == "a short one"


def test_other_ways_to_write_it_are_hidden() -> None:
    hidden = hidden_texts([SECRET])
    quoted = quote_plus(SECRET)
    for text in (
        SECRET.encode().hex().upper(),
        quoted,
        re.sub("%..", lambda found: found[0].lower(), quoted),
    ):
        assert mask(text, hidden) == "•••"


def test_masking_reaches_into_values_and_names() -> None:
    value = {"abcdef": ["x abcdef", 1, None, {"k": "abcdef"}]}
    assert mask_value(value, ("abcdef",)) == {"•••": ["x •••", 1, None, {"k": "•••"}]}
