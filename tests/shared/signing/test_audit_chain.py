"""The offline check of an audit export: every change of the text is found."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import FloworkError
from shared.signing.audit_chain import GENESIS, entry_hash, verify_export


def line(value: dict[str, Any]) -> bytes:
    return json.dumps(value).encode() + b"\n"


def export(count: int, scope: str = "all") -> list[bytes]:
    lines, previous = [line({"type": "start", "scope": scope, "seq": 0, "hash": GENESIS})], GENESIS
    for seq in range(1, count + 1):
        entry = {"seq": seq, "at_ms": seq, "actor": "a", "action": "b", "subject": f"é{seq}"}
        digest = entry_hash(previous, entry)
        lines.append(line({"type": "entry", **entry, "prev": previous, "hash": digest}))
        previous = digest
    return close(lines, count, previous)


def close(lines: list[bytes], seq: int, head: str) -> list[bytes]:
    digest = hashlib.sha256(b"".join(lines)).hexdigest()
    told = {"type": "head", "count": len(lines) - 1, "seq": seq, "hash": head, "digest": digest}
    return [*lines, line(told)]


def test_a_sound_export() -> None:
    found = verify_export(export(3))
    assert (found.scope, found.count, found.seq, len(found.head)) == ("all", 3, 3, 64)
    assert verify_export(export(0)).head == GENESIS
    assert verify_export([each.replace(b"\n", b"\r\n") for each in export(2)]).count == 2


@settings(deadline=None)
@given(st.integers(0, 4), st.data())
def test_no_line_can_be_left_out_doubled_or_moved(where: int, data: st.DataObject) -> None:
    lines = export(3)
    kind = data.draw(st.sampled_from(["drop", "double", "swap"]))
    if kind == "drop":
        changed = lines[:where] + lines[where + 1 :]
    elif kind == "double":
        changed = lines[: where + 1] + lines[where:]
    else:
        other = data.draw(st.integers(0, 4).filter(lambda number: number != where))
        changed = list(lines)
        changed[where], changed[other] = changed[other], changed[where]
    with pytest.raises(FloworkError):
        verify_export(changed)


@settings(deadline=None)
@given(st.integers(0, 4), st.integers(0, 400), st.integers(1, 255))
def test_no_byte_can_be_changed(where: int, at: int, flip: int) -> None:
    lines = export(3)
    text = bytearray(lines[where].rstrip(b"\n"))
    text[at % len(text)] ^= flip
    changed = bytes(text) + b"\n"
    if json_or_none(changed) == json.loads(lines[where]):
        return
    with pytest.raises(FloworkError):
        verify_export([*lines[:where], changed, *lines[where + 1 :]])


def json_or_none(text: bytes) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def test_a_part_of_the_log_may_have_gaps_but_no_wrong_links() -> None:
    lines = export(4, "own")[:-1]
    last = json.loads(lines[4])
    assert verify_export(close([*lines[:2], lines[3], lines[4]], 4, last["hash"])).count == 3
    with pytest.raises(FloworkError, match="gap"):
        verify_export(close([lines[0].replace(b"own", b"all"), lines[1], lines[3]], 3, "x"))


@pytest.mark.parametrize(
    "text", [b"", b"nonsense\n", b'{"type": "head"}\n', b"[]\n", b'{"type": 7}\n', b"x" * 9999]
)
def test_what_is_no_export(text: bytes) -> None:
    with pytest.raises(FloworkError):
        verify_export([text])


def test_an_entrys_hash_is_what_the_documents_say() -> None:
    entry = {"seq": 7, "at_ms": 1, "actor": "a", "action": "b", "subject": "é\ud800"}
    text = f'["{"0" * 64}",7,1,"a","b","é'.encode() + b'\xed\xa0\x80"]'
    assert entry_hash("0" * 64, entry) == hashlib.sha256(text).hexdigest()
    assert GENESIS == "0" * 64


def said(lines: list[bytes]) -> str:
    with pytest.raises(FloworkError) as caught:
        verify_export(lines)
    return caught.value.message


def test_the_first_wrong_line_is_named_and_what_is_wrong_with_it() -> None:
    lines = export(3)
    start, one, two, three, head = lines
    assert said([*lines, b"\n", head]) == "Line 7 follows the head line."
    assert said([*lines[:-1]]) == "The export has no head line; it was cut off."
    assert said([one, *lines]) == "Line 1 is not expected here."
    assert said([start, start, *lines[1:]]) == "Line 2 is not expected here."
    assert said([head]) == "Line 1 is not expected here."
    assert said([line({"type": "other"}), *lines]) == "Line 1 is not expected here."
    assert said([start, b"{}"]) == "Line 2 does not have the form of an export."
    assert said([start, b'{"type": "entry"}']) == "Line 2 does not have the form of an export."
    assert said([start, one.replace(b'"a"', b'"x"')]) == "Line 2 was changed: its hash does not fit."
    assert said([start, two]) == "Line 2 comes after a gap: entries are missing."
    assert said([start, one, one]) == "Line 3 does not continue the entry before it."
    told = {"seq": 2, "at_ms": 2, "actor": "a", "action": "b", "subject": "c"}
    forged = line({"type": "entry", **told, "prev": GENESIS, "hash": entry_hash(GENESIS, told)})
    assert said([start, one, forged]) == "Line 3 does not continue the entry before it."
    assert said([start, one, two, one]) == "Line 4 does not continue the entry before it."
    hash_of_two = json.loads(two)["hash"]
    for shown in ({"count": 2}, {"count": 4}, {"digest": "x"}):
        wrong = line(json.loads(head) | shown)
        assert said([start, one, two, three, wrong]).startswith("Line 5 does not fit what stands before it")
    for seq, last in ((4, json.loads(three)["hash"]), (3, hash_of_two)):
        wrong = close([start, one, two, three], seq, last)
        assert said(wrong) == "Line 5 names another last entry: the end of the log is missing."


def test_a_gap_in_a_part_of_the_log_does_not_excuse_a_step_back() -> None:
    start, _, two, three, _ = export(3, "own")
    assert said([start, three, two]) == "Line 3 does not continue the entry before it."
    assert said([start, two, two]) == "Line 3 does not continue the entry before it."


@pytest.mark.parametrize(("size", "sound"), [(4096, True), (4097, False)])
def test_a_line_has_an_end(size: int, sound: bool) -> None:
    entry = {"seq": 1, "at_ms": 1, "actor": "a", "action": "b", "subject": ""}
    bare = {"type": "entry", **entry, "prev": GENESIS, "hash": "0" * 64}
    entry["subject"] = "x" * (size - len(line(bare)))
    digest = entry_hash(GENESIS, entry)
    long = line(bare | entry | {"hash": digest})
    assert len(long) == size
    lines = close([export(0)[0], long], 1, digest)
    if sound:
        assert verify_export(lines).count == 1
    else:
        assert said(lines) == "Line 2 does not have the form of an export."
