"""Sealed values: what opens them, and everything that must not."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from core_engine.variables.cipher import ValueCipher
from shared.errors import ErrorCode, FloworkError

CIPHER = ValueCipher(b"k" * 32)


@pytest.mark.parametrize("value", ["", "Grüße", 7, [1, "a", None], {"a": {"b": True}}])
def test_a_value_comes_back_as_it_was(value: Any) -> None:
    assert CIPHER.open(CIPHER.seal(value, "0xa", "NAME"), "0xa", "NAME") == value


def test_the_same_value_never_looks_the_same() -> None:
    assert len({CIPHER.seal("x", "0xa", "NAME") for _ in range(50)}) == 50


@pytest.mark.parametrize(
    ("owner", "name"), [("0xb", "NAME"), ("0xa", "OTHER"), ("0xaN", "AME"), ("0xa", "NAME "), ("", "")]
)
def test_a88_under_another_name_or_owner_nothing_opens(owner: str, name: str) -> None:
    sealed = CIPHER.seal("x", "0xa", "NAME")
    with pytest.raises(FloworkError) as caught:
        CIPHER.open(sealed, owner, name)
    assert caught.value.code is ErrorCode.JOURNAL_CORRUPT


def test_no_changed_byte_opens() -> None:
    raw = base64.b64decode(CIPHER.seal("secret", "0xa", "NAME"))
    for place in range(len(raw)):
        changed = raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :]
        with pytest.raises(FloworkError):
            CIPHER.open(base64.b64encode(changed).decode(), "0xa", "NAME")


@pytest.mark.parametrize("sealed", ["", "AAAA", "no base64!", "é"])
def test_what_was_never_sealed_does_not_open(sealed: str) -> None:
    with pytest.raises(FloworkError):
        CIPHER.open(sealed, "0xa", "NAME")


def test_another_key_does_not_open() -> None:
    with pytest.raises(FloworkError):
        ValueCipher(b"j" * 32).open(CIPHER.seal("x", "0xa", "NAME"), "0xa", "NAME")
