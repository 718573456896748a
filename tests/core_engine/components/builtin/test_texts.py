"""The components for texts, patterns, encodings, hashes and dates."""

from __future__ import annotations

import hashlib
import hmac
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from core_engine.components.builtin.encode.coding import DECODERS, ENCODERS
from core_engine.components.builtin.text.operations import slug, truncate
from core_engine.kernel.payload import Payload
from shared.errors import ErrorCode, FloworkError


async def result(run, component: str, config, data=None, name: str = "text"):
    return (await run(component, config, data)).outputs["success"].data[name]


@pytest.mark.parametrize(
    ("config", "given", "expected"),
    [
        ({"operation": "trim"}, " a\u00a0\n", "a"),
        ({"operation": "upper"}, "straße é", "STRASSE É"),
        ({"operation": "lower"}, "ÀB", "àb"),
        ({"operation": "title"}, "it's élan VITAL", "It's Élan Vital"),
        ({"operation": "sentence"}, "hELLO World", "Hello world"),
        ({"operation": "replace", "search": "a", "replacement": "$1"}, "banana", "b$1n$1n$1"),
        ({"operation": "join", "separator": "; "}, [1, "a", None, {"é": 1}], '1; a; ; {"é": 1}'),
        ({"operation": "split", "separator": ","}, "a,,b", ["a", "", "b"]),
        ({"operation": "split"}, "", []),
        ({"operation": "split", "separator": ""}, "añ", ["a", "ñ"]),
        ({"operation": "lines"}, "a\r\nb\n", ["a", "b"]),
        ({"operation": "pad_start", "length": 5, "fill": "ab"}, "x", "ababx"),
        ({"operation": "pad_end", "length": 3, "fill": "."}, "x", "x.."),
        ({"operation": "truncate", "length": 5}, "hello world", "hell…"),
        ({"operation": "truncate", "length": 50}, "short", "short"),
        ({"operation": "slice", "start": -3}, "abcdef", "def"),
        ({"operation": "slice", "start": 1, "end": 3}, "abcdef", "bc"),
        ({"operation": "slug"}, "  Crème brûlée, 100 % -- Straße_7 ", "creme-brulee-100-strasse-7"),
        ({"operation": "slug"}, "漢字 かな", "漢字-かな"),
        ({"operation": "one_line"}, " a \n\t b ", "a b"),
        ({"operation": "remove_accents"}, "Łódź Øre", "Lodz Ore"),
        ({"operation": "reverse"}, "abc", "cba"),
        ({"operation": "length"}, "añ漢", 3),
        ({"operation": "length"}, "", 0),
    ],
)
async def test_operations_on_texts(run, config, given, expected) -> None:
    payload = Payload({"text": "other", "kept": 1}, ["h"])
    outcome = (await run("text", {**config, "text": given}, payload)).outputs["success"]
    assert outcome == Payload({"text": expected, "kept": 1}, ["h"])


async def test_texts_come_from_the_data(run) -> None:
    assert await result(run, "text", {"operation": "upper"}, {"text": "a"}) == "A"
    assert await result(run, "text", {"operation": "upper"}, "a") == "A"
    assert await result(run, "text", {"operation": "join"}, {"records": ["a", "b"]}) == "a, b"
    with pytest.raises(FloworkError, match="There is no text"):
        await run("text", {}, {"n": 1})
    with pytest.raises(FloworkError, match="search"):
        await run("text", {"operation": "replace"}, "a")
    config = {"operation": "replace", "search": "a", "replacement": "x" * 10_000}
    with pytest.raises(FloworkError) as caught:
        await run("text", config, "a" * 10_000)
    assert caught.value.code is ErrorCode.TOO_LARGE


@given(st.text(), st.integers(0, 20))
def test_a_truncated_text_is_never_longer(text: str, length: int) -> None:
    assert len(truncate(text, length)) <= max(length, 0)
    assert slug(slug(text)) == slug(text)


MATCH = {"match": "b2", "groups": ["b", "2"], "named": {"n": "2"}, "start": 4, "end": 6}


async def test_patterns_find_test_replace_and_split(run) -> None:
    config = {"pattern": "([a-z])(?P<n>[0-9])", "text": "漢é: b2, c3"}
    assert await result(run, "regex", config, name="result") == MATCH
    data = (await run("regex", {**config, "action": "find_all"})).outputs["success"].data
    assert [found["match"] for found in data["result"]] == ["b2", "c3"]
    assert (data["found"], data["count"]) == (True, 2)
    assert await result(run, "regex", {**config, "action": "test"}, name="result") is True
    replaced = {**config, "action": "replace", "replacement": r"<\2\1\\\0>"}
    assert await result(run, "regex", replaced, name="result") == r"漢é: <2b\b2>, <3c\c3>"
    split = {"action": "split", "pattern": r",\s*", "text": "a, b,c", "most": 1}
    assert await result(run, "regex", split, name="result") == ["a", "b,c"]


async def test_patterns_that_do_not_match(run) -> None:
    for action, expected in (
        ("find_first", None),
        ("find_all", []),
        ("test", False),
        ("replace", "abc"),
        ("split", ["abc"]),
    ):
        data = (
            (await run("regex", {"action": action, "pattern": "x|y", "text": "abc"})).outputs["success"].data
        )
        assert (data["result"], data["found"]) == (expected, False)


async def test_switches_of_patterns_and_empty_matches(run) -> None:
    config = {
        "action": "find_all",
        "pattern": "^A.b$",
        "text": "a\nb\nA b",
        "ignore_case": True,
        "multi_line": True,
    }
    assert [match["match"] for match in await result(run, "regex", config, name="result")] == ["A b"]
    dotted = {**config, "dot_all": True}
    assert [match["match"] for match in await result(run, "regex", dotted, name="result")] == ["a\nb", "A b"]
    dashes = {"action": "replace", "pattern": "x*", "replacement": "-", "text": "aé"}
    assert await result(run, "regex", dashes, name="result") == "-a-é-"
    assert await result(run, "regex", {"pattern": "(a)|(b)", "text": "b"}, name="result") == {
        "match": "b", "groups": [None, "b"], "named": {}, "start": 0, "end": 1,
    }  # fmt: skip


async def test_an_evil_pattern_takes_no_longer_than_its_text(run) -> None:
    started = time.monotonic()
    await run("regex", {"pattern": "(a+)+$", "action": "test", "text": "a" * 100_000 + "b\ud800"})
    assert time.monotonic() - started < 60  # backtracking would take longer than the age of the universe


@pytest.mark.parametrize(
    "wrong",
    [
        {"pattern": "("},
        {"pattern": r"(a)\1"},
        {"pattern": "(?=a)"},
        {"pattern": ""},
        {"pattern": "(a{1000}){1000}"},
        {"pattern": "a", "action": "replace", "replacement": r"\1"},
        {"pattern": "a", "action": "replace", "replacement": "\\"},
    ],
)
def test_patterns_that_cannot_be_used_are_refused_with_the_settings(registry, wrong) -> None:
    with pytest.raises(ValidationError):
        registry.find("regex").parse_config(wrong)


@pytest.mark.parametrize(
    ("form", "text", "written"),
    [
        ("base64", "hé?>", "aMOpPz4="),
        ("base64url", "hé?>~~~", "aMOpPz5-fn4"),
        ("hex", "hé", "68c3a9"),
        ("url", "a b/é&=", "a%20b%2F%C3%A9%26%3D"),
        ("html", '<a href="\'">&é', "&lt;a href=&quot;&#x27;&quot;&gt;&amp;é"),
        ("json", 'q"é\n', '"q\\"é\\n"'),
        ("base64", "", ""),
        ("hex", "", ""),
    ],
)
async def test_texts_are_encoded_and_decoded(run, form: str, text: str, written: str) -> None:
    assert await result(run, "encode", {"format": form, "text": text}) == written
    if text:
        assert await result(run, "encode", {"format": form, "action": "decode", "text": written}) == text


async def test_json_takes_and_gives_any_value(run) -> None:
    assert await result(run, "encode", {"format": "json"}, {"a": [1, "é"]}) == '{"a": [1, "é"]}'
    assert await result(run, "encode", {"format": "json", "action": "decode", "text": "[1,{}]"}) == [1, {}]
    assert await result(run, "encode", {"format": "base64", "action": "decode", "text": " aMOp\n"}) == "hé"
    assert await result(run, "encode", {"format": "url", "action": "decode", "text": "a+b"}) == "a b"


@given(st.text())
def test_what_was_encoded_is_decoded_to_the_same(text: str) -> None:
    for form in ("base64", "base64url", "hex", "url", "html", "json"):
        assert DECODERS[form](ENCODERS[form](text)) == text


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("base64", "a"),
        ("base64", "!!"),
        ("base64", "/w=="),
        ("hex", "xyz"),
        ("hex", "ff"),
        ("url", "%ff"),
        ("json", "{"),
        ("json", "[" * 200),
    ],
)
async def test_what_is_not_written_that_way_is_refused(run, form: str, text: str) -> None:
    with pytest.raises(FloworkError):
        await run("encode", {"format": form, "action": "decode", "text": text})


@pytest.mark.parametrize("algorithm", ["sha256", "sha384", "sha512", "sha3_256", "blake2b", "sha1", "md5"])
async def test_hashes_are_what_the_library_says(run, root: Path, algorithm: str) -> None:
    expected = hashlib.new(algorithm, "é".encode()).hexdigest()
    assert await result(run, "hash", {"algorithm": algorithm}, "é", "hash") == expected
    (root / "a.bin").write_bytes("é".encode())
    assert await result(run, "hash", {"algorithm": algorithm, "path": "a.bin"}, name="hash") == expected
    secret = hmac.new(b"s3cret", "é".encode(), algorithm).hexdigest()
    assert await result(run, "hash", {"algorithm": algorithm, "key": "s3cret"}, "é", "hash") == secret


async def test_hashes_in_other_forms_and_compared(run) -> None:
    key = {"key": "a2V5", "key_is": "base64", "text": "6869", "text_is": "hex"}
    digest = hmac.new(b"key", b"hi", "sha256")
    data = (
        (await run("hash", {**key, "compare_with": digest.hexdigest().upper() + " "})).outputs["success"].data
    )
    assert data == {"hash": digest.hexdigest(), "matches": True}
    assert (await run("hash", {**key, "compare_with": "é"})).outputs["success"].data["matches"] is False
    assert (await result(run, "hash", {**key, "output": "base64"}, name="hash")).endswith("=")
    assert "=" not in await result(run, "hash", {**key, "output": "base64url"}, name="hash")


async def test_a_secret_that_does_not_read_is_not_shown(registry, run) -> None:
    with pytest.raises(ValidationError) as caught:
        registry.find("hash").parse_config({"key": "s3cret", "key_is": "hex"})
    assert "s3cret" not in str(caught.value.errors(include_input=False, include_url=False)[0]["msg"])
    with pytest.raises(FloworkError, match="the text is not base64"):
        await run("hash", {"text": "???", "text_is": "base64"})


@pytest.mark.parametrize(
    ("component", "wrong", "field"),
    [
        ("text", {"operation": "shout"}, "operation"),
        ("text", {"length": -1}, "length"),
        ("encode", {"format": "rot13"}, "format"),
        ("hash", {"algorithm": "crc"}, "algorithm"),
        ("date_time", {"unit": "moons"}, "unit"),
        ("regex", {}, "pattern"),
        ("regex", {"pattern": "("}, "pattern"),
    ],
)
def test_wrong_settings_name_their_field(registry, component: str, wrong, field: str) -> None:
    with pytest.raises(ValidationError) as caught:
        registry.find(component).parse_config(wrong)
    assert caught.value.errors()[0]["loc"][0] == field
