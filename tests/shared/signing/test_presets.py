"""The canonical text of presets: byte for byte what a browser writes."""

from __future__ import annotations

import json
import struct
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import ErrorCode
from shared.signing.presets import canonical_json, preset_text, recover_preset, sign_preset
from tests.shared.signing.examples import OTHER, SECONDS, WALLET, frame, refused, vectors, verifier

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text() | st.integers(0, 99).map(str), inner, max_size=4)
    ),
    max_leaves=20,
)


def test_p6_presets_of_the_browser_are_written_alike_and_recover() -> None:
    for vector in vectors("presets"):
        workflow = json.loads(vector["source"])["workflow_data"]
        assert preset_text(workflow) == vector["canonical"]
        assert recover_preset(workflow, vector["signature"]) == vector["address"].lower()


def test_p6_numbers_are_written_as_ecmascript_writes_them() -> None:
    for bits, text in vectors("numbers"):
        (number,) = struct.unpack(">d", bytes.fromhex(bits))
        assert canonical_json(number) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1e-7, "1e-7"),
        (1e-6, "0.000001"),
        (1.5e-7, "1.5e-7"),
        (1e21, "1e+21"),
        (1e20, "100000000000000000000"),
        (123456789012345680000.0, "123456789012345680000"),
        (100.0, "100"),
        (-0.0, "0"),
        (-1.25, "-1.25"),
        (5e-324, "5e-324"),
        (2**53, "9007199254740992"),
        (2**53 + 1, "9007199254740992"),
        (10**21, "1e+21"),
        (True, "true"),
        (None, "null"),
        ({"10": 1, "9": 2, "b": 3, "010": 4, "4294967295": 5, "4294967294": 6}, None),
        ({"\U0001f600": 1, "\uff5a": 2, "z": 3}, '{"z":3,"\U0001f600":1,"\uff5a":2}'),
        ("\u2028\x7f\x1f/é", '"\u2028\x7f\\u001f/é"'),
        ("\ud83d", '"\\ud83d"'),
        ((1, [2]), "[1,[2]]"),
        ({}, "{}"),
    ],
)
def test_single_values(value: Any, text: str | None) -> None:
    expected = text or '{"9":2,"10":1,"4294967294":6,"010":4,"4294967295":5,"b":3}'
    assert canonical_json(value) == expected


@settings(deadline=None)
@given(value=VALUES)
def test_p6_the_text_means_the_value_and_does_not_depend_on_order(value: Any) -> None:
    text = canonical_json(value)
    assert json.loads(text, parse_int=float) == value
    assert canonical_json(json.loads(text)) == text
    if isinstance(value, dict):
        assert canonical_json(dict(reversed(value.items()))) == text


@settings(deadline=None, max_examples=300)
@given(number=st.floats(allow_nan=False, allow_infinity=False))
def test_p6_every_number_comes_back(number: float) -> None:
    text = canonical_json(number)
    assert float(text) == number
    assert len(text) <= len(repr(number)) + 20


@pytest.mark.parametrize(
    "value",
    [float("nan"), float("inf"), -float("inf"), 10**400, {1: 2}, {"a": {None: 1}}, b"x", {1, 2}, object()],
)
def test_what_is_not_json_has_no_text(value: Any) -> None:
    with refused(ErrorCode.INVALID_REQUEST):
        canonical_json({"a": value})


def test_depth_is_bounded() -> None:
    for wrap in (lambda value: [value], lambda value: {"a": value}):
        value: Any = 1
        for _ in range(99):
            value = wrap(value)
        assert canonical_json(value)
        with refused(ErrorCode.INVALID_REQUEST, saying="deeper"):
            canonical_json(wrap(value))


def test_the_author_is_recovered_and_a_change_is_seen() -> None:
    workflow = {"nodes": [{"id": "a", "x": 1.0}], "connections": []}
    signature = sign_preset(WALLET, workflow)
    assert (
        recover_preset({"connections": [], "nodes": [{"x": 1, "id": "a"}]}, signature)
        == WALLET.address.lower()
    )
    assert recover_preset(workflow | {"nodes": []}, signature) != WALLET.address.lower()
    assert recover_preset(workflow, sign_preset(OTHER, workflow)) == OTHER.address.lower()
    with refused(ErrorCode.BAD_SIGNATURE):
        recover_preset(workflow, "0x")


def test_a12_a_signed_preset_is_no_proof_for_a_message() -> None:
    with refused(ErrorCode.UNAUTHENTICATED):
        verifier().open(frame(preset_text({"a": f"|{SECONDS}"})), SECONDS * 1000)
