"""Z8: bytes that are no UTF-8 where JSON is expected, on the disk or from outside, are an error like any other.

Found by the fuzzing of the journal: the decoder's own error for them is another one than for what is not JSON.
"""

from __future__ import annotations

import pytest

from core_engine.components.builtin.http_request.answer import _guess
from core_engine.components.builtin.mqtt_wait.waiting import _read
from core_engine.components.chain.rpc import _parsed
from core_engine.storage.triggers import RuleRow
from core_engine.triggers.rules import read_rule
from core_engine.workflow.graph import workflow_hash
from core_engine.workflow.library import Library
from gateway.realtime.wire_json import loads
from shared.errors import ErrorCode, FloworkError
from tests.core_engine.workflow.workshop import Registry, chain

BAD = b'{"a": "\x80"}'


def test_a_damaged_workflow_does_not_keep_the_engine_from_starting() -> None:
    prepared = Library(Registry()).prepare(chain(2))
    name, body = prepared.graph.hash, prepared.body
    for place in range(0, len(body), 7):
        for new in (b"\x80", b"7", b'"', b""):
            damaged = body[:place] + new + body[place + 1 :]
            if damaged != body:
                with pytest.raises(FloworkError) as refused:
                    Library(Registry()).restore(name, damaged)
                assert refused.value.code is ErrorCode.JOURNAL_CORRUPT
    with pytest.raises(FloworkError, match="unreadable"):
        Library(Registry()).restore(workflow_hash(BAD), BAD)


def test_a_damaged_trigger_rule_is_told() -> None:
    with pytest.raises(FloworkError) as refused:
        read_rule(RuleRow("rule-1", BAD))
    assert refused.value.code is ErrorCode.JOURNAL_CORRUPT


def test_what_others_send_is_handed_on_as_bytes() -> None:
    assert _read(BAD, "auto") == "eyJhIjogIoAifQ=="
    with pytest.raises(FloworkError, match="not JSON"):
        _read(BAD, "json")
    assert _guess(BAD, "application/json", None) == "eyJhIjogIoAifQ=="
    with pytest.raises(FloworkError, match="nothing that is JSON-RPC"):
        _parsed(BAD, 200)
    with pytest.raises(ValueError):
        loads(BAD)
