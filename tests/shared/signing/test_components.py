"""An author's signature is over one component, one version, one content, and names who signed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shared.errors import ErrorCode
from shared.signing.components import component_author, component_text, sign_component
from tests.shared.signing.examples import OTHER, WALLET, refused

WHAT = ("web_log", "1.2.0", "ab" * 32)


def test_the_author_is_who_signed() -> None:
    text = sign_component(WALLET, *WHAT)
    assert text.startswith('{\n "address": "0x')
    assert text.endswith('"\n}\n')
    assert component_author(json.loads(text), *WHAT) == WALLET.address
    small = json.loads(text) | {"address": WALLET.address.lower()}
    assert component_author(small, *WHAT) == WALLET.address
    assert component_text(*WHAT) == f"flowork_component|web_log|1.2.0|{'ab' * 32}"


@pytest.mark.parametrize("place", range(3))
def test_another_id_version_or_content_is_not_what_was_signed(place: int) -> None:
    other = [value + "0" if number == place else value for number, value in enumerate(WHAT)]
    with refused(ErrorCode.BAD_SIGNATURE, saying="not over these files"):
        component_author(json.loads(sign_component(WALLET, *WHAT)), *other)


def test_nobody_signs_for_somebody_else() -> None:
    forged = json.loads(sign_component(OTHER, *WHAT)) | {"address": WALLET.address}
    with refused(ErrorCode.BAD_SIGNATURE, saying="not over these files"):
        component_author(forged, *WHAT)


@pytest.mark.parametrize(
    "change",
    [{"address": None}, {"address": 7}, {"address": "0x12"}, {"signature": None}, {"signature": 7}, None],
)
def test_what_is_no_signature_is_said_to_be_none(change: Any) -> None:
    signed = json.loads(sign_component(WALLET, *WHAT))
    for given in [[], "x", None] if change is None else [signed | change]:
        with refused(ErrorCode.BAD_SIGNATURE, saying="must hold an address and a signature"):
            component_author(given, *WHAT)
