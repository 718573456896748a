"""Z1: whatever comes as an envelope is read or refused, and what is read was signed."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import FloworkError
from shared.signing.envelope import seal
from tests.shared.signing.examples import ENGINE, NOW, WALLET, verifier

PAYLOAD = {"type": "list_runs", "request_id": "1", "more": {"a": [1, 2.5, "x"]}}
FRAME = json.loads(seal(WALLET, ENGINE, PAYLOAD, now_ms=NOW))
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for key, item in inner for found in places(item, (*path, key)))]


def changed(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = changed(value[path[0]], path[1:], new)
    return copy


def opens(raw: bytes | str) -> Any:
    """Return what a fresh engine makes of a frame; anything but a refusal of ours fails the test."""
    try:
        return verifier().open(raw, NOW)
    except FloworkError:
        return None


@settings(max_examples=300)
@given(st.sampled_from(places(FRAME)), JSON)
def test_z1_any_value_in_any_place_is_refused_unless_it_is_the_signed_one(path: Any, new: Any) -> None:
    opened = opens(json.dumps(changed(FRAME, path, new)))
    assert opened is None or (opened.address == WALLET.address.lower() and opened.payload == PAYLOAD)


@settings(max_examples=300)
@given(st.binary(max_size=200) | st.text(max_size=100).map(lambda text: text.encode(errors="surrogatepass")))
def test_z1_no_bytes_open(raw: bytes) -> None:
    assert opens(raw) is None
