"""Strict JSON: one meaning or none."""

from __future__ import annotations

import json
import math
import re

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import ErrorCode
from shared.signing import strict_json as module
from shared.signing.strict_json import parse_list, parse_object
from tests.shared.signing.examples import outcome, refused

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
OBJECTS = st.dictionaries(st.text(), VALUES, max_size=5)

AMBIGUOUS = {
    "duplicate key": b'{"a":1,"a":1}',
    "duplicate key, escaped": b'{"a":1,"\\u0061":2}',
    "duplicate key inside": b'{"x":[{"a":1,"b":2,"a":3}]}',
    "NaN": b'{"a":NaN}',
    "Infinity": b'{"a":Infinity}',
    "-Infinity": b'{"a":-Infinity}',
    "1e400": b'{"a":1e400}',
    "-1e400": b'{"a":-1e400}',
    "a long number beyond a double": b'{"a":' + b"9" * 400 + b".5}",
    "integer above": b'{"a":9007199254740993}',
    "integer below": b'{"a":-9007199254740993}',
    "integer of 18 digits": b'{"a":123456789012345678}',
    "integer of 18 digits below": b'{"a":-123456789012345678}',
    "integer of 18 digits before a text": b'{"a":123456789012345678,"b":"c"}',
    "integer of 18 digits behind many texts of digits": (
        b'{"a":[' + b'"1234567890123456",' * 40 + b"123456789012345678]}"
    ),
    "integer of 30 digits": b'{"a":' + b"1" * 30 + b"}",
    "integer of 5000 digits": b'{"a":' + b"1" * 5000 + b"}",
    "lone high surrogate": b'{"a":"\\ud800"}',
    "lone high surrogate before text": b'{"a":"\\ud800abcdef"}',
    "two high surrogates": b'{"a":"\\ud800\\ud800"}',
    "lone low surrogate": b'{"a":"\\udc00"}',
    "lone surrogate in a key": b'{"\\udfff":1}',
    "surrogate as bytes": b'{"a":"\xed\xa0\x80"}',
    "overlong UTF-8": b'{"a":"\xc0\xaf"}',
    "Latin-1": b'{"a":"\xe9"}',
    "UTF-16": '{"a":1}'.encode("utf-16"),
    "byte order mark": b'\xef\xbb\xbf{"a":1}',
    "control character": b'{"a":"\x01"}',
    "two documents": b'{"a":1}{"b":2}',
    "trailing comma": b'{"a":1,}',
    "comment": b'{"a":1}//x',
    "single quotes": b"{'a':1}",
    "leading zero": b'{"a":01}',
    "plus sign": b'{"a":+1}',
    "full-width digit": '{"a":\uff11}'.encode(),
    "array": b"[1]",
    "text": b'"a"',
    "null": b"null",
    "nothing": b"",
    "cut off": b'{"a":',
}


@pytest.mark.parametrize("name", AMBIGUOUS)
def test_a14_what_parsers_disagree_on_is_refused(name: str) -> None:
    with refused(ErrorCode.INVALID_REQUEST, saying="not acceptable JSON"):
        parse_object(AMBIGUOUS[name])


@pytest.mark.parametrize("depth", [65, 900, 10_000, 200_000])
@pytest.mark.parametrize("kind", ["objects", "arrays"])
def test_a14_depth_is_bounded(depth: int, kind: str) -> None:
    raw = b'{"a":' * depth + b"1" + b"}" * depth
    if kind == "arrays":
        raw = b'{"a":' + b"[" * (depth - 1) + b"]" * (depth - 1) + b"}"
    with refused(ErrorCode.INVALID_REQUEST, saying="deeper"):
        parse_object(raw)


def test_brackets_within_texts_do_not_count() -> None:
    texts = ["[[[[", "}}", '"', "\\", '\\"[{', "[" * 200, "\\" * 5 + '"' + "{" * 100, ""]
    value = {"a": [{"b": text, text + "k": [text, []]} for text in texts * 50]}
    assert parse_object(json.dumps(value).encode(), max_depth=5) == value
    with refused(ErrorCode.INVALID_REQUEST, saying="deeper"):
        parse_object(json.dumps(value).encode(), max_depth=4)


def nesting(value: object) -> int:
    if not isinstance(value, dict | list):
        return 0
    return 1 + max(map(nesting, value.values() if isinstance(value, dict) else value), default=0)


@settings(deadline=None)
@given(value=st.dictionaries(st.text('[]{}"\\,x', max_size=6), VALUES, min_size=1, max_size=5))
def test_the_depth_is_counted_exactly(value: dict[str, object]) -> None:
    raw, depth = json.dumps({"x": value, "texts": '[[{"'}, indent=1).encode(), nesting(value) + 1
    assert parse_object(raw, max_depth=depth)
    with refused(ErrorCode.INVALID_REQUEST, saying="deeper"):
        parse_object(raw, max_depth=depth - 1)


_LONG = st.sampled_from(["1" * 15, "9" * 16, "7" * 40, "0x" + "a1" * 8 + "3" * 17, "", '"', "\\\\", "é"])
_MEMBERS = st.dictionaries(
    _LONG, _LONG | st.integers(-(2**60), 2**60) | st.lists(_LONG, max_size=30), max_size=4
)


@settings(deadline=None)
@given(value=_MEMBERS)
def test_a_long_number_is_found_and_long_digits_in_texts_are_none(value: dict[str, object]) -> None:
    raw = msgspec.json.encode(value)
    outside = re.sub(rb'"(?:[^"\\]|\\.)*"', b"", raw)
    if re.search(rb"[0-9]{16}", outside):
        assert module._may_hold_a_long_number(raw)
    elif b"\\" not in raw and len(re.findall(rb"[0-9]{16}", raw)) <= module._MOST_TEXTS:
        assert not module._may_hold_a_long_number(raw)
    with pytest.MonkeyPatch.context() as patch:
        short = outcome(lambda: parse_object(raw))
        patch.setattr(module, "_is_plain", lambda *_: False)
        assert outcome(lambda: parse_object(raw)) == short


@given(raw=st.text('[]{}[]{}"\\,', max_size=40).map(str.encode), depth=st.integers(0, 6), more=st.booleans())
def test_the_short_way_to_the_depth_tells_what_the_long_one_does(
    raw: bytes, depth: int, *, more: bool
) -> None:
    raw = raw + b"[{}[]]" * 4 if more else raw
    with pytest.MonkeyPatch.context() as patch:
        short = module._is_deeper(raw, depth)
        patch.setattr(module, "_CUTS", 0)
        assert module._is_deeper(raw, depth) is short


@pytest.mark.parametrize("pairs", [32_766, 32_767, 32_768, 65_535])
def test_the_depth_goes_on_from_one_piece_to_the_next(pairs: int) -> None:
    """The brackets are counted in pieces of 65,536."""
    for deep, good in ((62, True), (63, False)):
        raw = b'{"a":[' + b"[]," * pairs + b"[" * deep + b"]" * deep + b"]}"
        if good:
            assert len(parse_object(raw)["a"]) == pairs + 1
        else:
            with refused(ErrorCode.INVALID_REQUEST, saying="deeper"):
                parse_object(raw)


def test_the_deepest_allowed_object_is_read() -> None:
    assert parse_object(b'{"a":' * 64 + b"1" + b"}" * 64)
    assert parse_object(b'{"a":{"b":[]}}', max_depth=3)
    with refused(ErrorCode.INVALID_REQUEST, saying="deeper than 2"):
        parse_object(b'{"a":{"b":[]}}', max_depth=2)


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (b"{}", {}),
        (b' {\n"a" : [ 1 , 2.50 , -0 ] }\r\n', {"a": [1, 2.5, 0]}),
        (b'{"a":9007199254740992,"b":-9007199254740992}', {"a": 2**53, "b": -(2**53)}),
        (b'{"a":"\\u00e9\\ud83d\\ude00\\/"}', {"a": "é😀/"}),
        (b'{"a":1E+2,"b":123456789.12345678901}', {"a": 100.0, "b": 123456789.12345679}),
        (b'{"hash":"0000000000000000000000000000000000000000000000000000000000000000"}', {"hash": "0" * 64}),
        (b'{"a":{"x":1},"b":{"x":1}}', {"a": {"x": 1}, "b": {"x": 1}}),
    ],
)
def test_plain_json_is_read(raw: bytes, value: object) -> None:
    assert parse_object(raw) == value


@settings(deadline=None)
@given(value=OBJECTS)
def test_both_ways_of_reading_give_the_same(value: dict[str, object]) -> None:
    compact = parse_object(msgspec.json.encode(value))
    spaced = parse_object(json.dumps(value, indent=1).encode())
    assert compact == spaced == value


@settings(deadline=None, max_examples=300)
@given(
    raw=st.binary(max_size=60) | st.text('{}[]":,\\ue1230.-+ntf', max_size=40).map(lambda text: text.encode())
)
def test_z1_no_bytes_crash_it_and_it_accepts_only_what_the_standard_parser_accepts(raw: bytes) -> None:
    value = outcome(lambda: parse_object(raw))
    if value is ErrorCode.INVALID_REQUEST:
        return
    assert value == json.loads(raw)
    assert all(math.isfinite(item) for item in value.values() if isinstance(item, float))


def test_a_list_is_read_by_the_same_rules() -> None:
    assert parse_list(b' ["a", {"b": 1}] ') == ["a", {"b": 1}]
    assert parse_list(b"[]") == []


@pytest.mark.parametrize(
    "raw", [b"", b"{}", b"null", b"[NaN]", b'["a"]]', b'[], "x": []', b'[],"list":[]', b"[9007199254740993]"]
)
def test_anything_but_a_list_is_refused(raw: bytes) -> None:
    with refused(ErrorCode.INVALID_REQUEST):
        parse_list(raw)


def test_a_lists_depth_is_bounded() -> None:
    assert parse_list(b"[" * 63 + b"]" * 63)
    with refused(ErrorCode.INVALID_REQUEST):
        parse_list(b"[" * 64 + b"]" * 64)
