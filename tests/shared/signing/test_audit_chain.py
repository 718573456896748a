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
