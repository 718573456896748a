"""Records as bytes, and large payloads beside them."""

from __future__ import annotations

import msgspec
import pytest

from core_engine.kernel.payload import Payload, Result
from core_engine.storage.blobs import blob_name
from core_engine.workflow import records as r
from core_engine.workflow.journal import (
    LARGE,
    Payloads,
    decode_segments,
    encode_payload,
    encode_result,
    encode_segment,
)
from shared.errors import ErrorCode, FloworkError

SMALL = msgspec.Raw(b'{"data":1,"history":[]}')
RECORDS = [
    r.RunAccepted(1, 10, "run-1", "0xa", "EXECUTE", "p", "h" * 64, None, SMALL, 3, 2, 1),
    r.StepStarted(2, 11, 0, 1, 3, "once"),
    r.StepRan(3, 12, 1, 1, 0.5, {"success": SMALL}, (0, 2)),
    r.LogWritten(7, 13, 0, "INFO", "A", "grüß"),
    r.PopupShown(8, 14, 0, "T", msgspec.Raw(b"[1]"), {"theme": "x"}),
    r.StepFinished(9, 15, 0, 1, 1.25, {"yes": SMALL, "no": SMALL}, ()),
    r.StepPassed(10, 16, 1, {}, (1,)),
    r.StepFailed(11, 17, 1, 2, 3.5, "CODE", "text", 99, {}, ()),
    r.StepUnknown(12, 18, 1, 2, "nobody knows", {"error": SMALL}, (3,)),
    r.StepInterrupted(14, 19, 1, True),
    r.StepCancelled(14, 20, 1, 2, "stopped"),
    r.StopRequested(15, 21, "0xb"),
    r.RunPaused(15, 22, "0xb"),
    r.RunResumed(16, 23, "0xb"),
    r.RunFinished(17, 24, "FAILED", "A: text"),
    r.StepSuspended(19, 25, 0, 1, "w1", 1_000, "approval", {"title": "T", "message": "M"}),
    r.StepResumed(20, 26, 0, 1, "approved", "0xb", "fine", {"message": "m", "bound": True}),
    r.StepSpent(21, 27, 0, 1, "chat", "m-1", 12, 3, "0.00042", "USD", False),
    r.StepLooped(21, 27, 0, 1, 4, 0.5, {"success": SMALL}, 1_000),
    r.JoinExpired(22, 28, 1),
    r.RoundStarted(23, 29, 1, 3, None, "RUNNING"),
    r.AlarmRaised(25, 30, "late", "The run has not ended after 5 s."),
    r.DeadlinePassed(26, 31, "DEADLINE_EXCEEDED: too long"),
    r.FinallyStarted(27, 32, "FAILED", "A: text", SMALL, "RUNNING"),
    r.StepSeeded(21, 27, 0, "SUCCESS", {"success": SMALL}, (0,), "run-0", False, None),
    r.BreakpointsSet(23, 28, (0, 2), "0xb"),
    r.BreakpointHit(24, 29, 0, '{"n":1}'),
    r.BreakpointsPassed(25, 30, (0,), True, "0xb"),
    r.StepResumed(21, 27, 0, 1, "ended", None, "", None, {"count": 2, "errors": []}),
    r.LoopProgressed(22, 28, 0, 5, 1, 10, 4),
]


def test_every_kind_of_record_comes_back_as_it_was():
    assert {type(record) for record in RECORDS} == set(r.AnyRecord.__args__)
    parts = [(1, encode_segment(RECORDS[:4])), (5, encode_segment(RECORDS[4:]))]
    assert decode_segments(parts, "run-1", len(RECORDS)) == RECORDS


def test_records_with_fields_of_a_later_version_are_read():
    body = encode_segment(RECORDS[:1])[:-2] + b',"new",1]]'
    assert decode_segments([(1, body)], "run-1", 1) == RECORDS[:1]


@pytest.mark.parametrize(
    ("parts", "expected", "told"),
    [
        ([], 0, "does not begin"),
        ([(1, encode_segment(RECORDS[1:]))], len(RECORDS) - 1, "does not begin"),
        ([(1, encode_segment(RECORDS[:4])), (6, encode_segment(RECORDS[5:]))], 15, "record 5 is missing"),
        ([(1, encode_segment(RECORDS[:4]))], 15, "4 of 15"),
        ([(1, encode_segment(RECORDS[:4])[:-3])], 4, "unreadable"),
        ([(1, b'[["later",1,2]]')], 1, "unreadable"),
    ],
)
def test_nothing_is_skipped(parts: list[tuple[int, bytes]], expected: int, told: str):
    with pytest.raises(FloworkError, match=told) as caught:
        decode_segments(parts, "run-1", expected)
    assert caught.value.code is ErrorCode.JOURNAL_CORRUPT


def test_small_payloads_stand_in_the_journal():
    payloads = Payloads(1, {}.__getitem__)
    content = encode_payload(Payload({"a": "x" * (LARGE - 40)}))
    assert bytes(payloads.store(content)) == content
    assert (payloads.unwritten, payloads.large) == ([], {})


def test_large_payloads_are_named_written_once_and_read_again_after_release():
    files: dict[str, bytes] = {}
    payloads = Payloads(7, files.__getitem__)
    payload = Payload({"a": "x" * LARGE})
    content = encode_payload(payload)
    stored = payloads.store(content)
    assert payloads.store(content) == stored
    assert bytes(stored) == f'"sha256:{blob_name(content)}"'.encode()
    (blob,) = payloads.unwritten
    assert blob == (7, blob_name(content), content)
    assert payloads.load(stored) == payload
    payloads.release({"success": stored, "other": SMALL})
    assert payloads.large == {}
    files[blob.name] = content
    assert payloads.load(stored) == payload
    assert payloads.load(SMALL) == Payload(1, [])
    restored = Payloads(7, files.__getitem__, restored=True)
    assert restored.load(stored) == payload


def test_results_become_json_or_an_error():
    assert encode_result(Result.on("yes", {"t": (1, 2)}, ["h"])) == {
        "yes": b'{"data":{"t":[1,2]},"history":["h"]}'
    }
    for nonsense in (None, {"data": 1}, Result({"a": Payload(object())}), Result({"a": Payload("\ud800")})):
        with pytest.raises((TypeError, ValueError)):
            encode_result(nonsense)
    deep: list = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(RecursionError):
        encode_result(Result({"a": Payload(deep)}))
    while deep:  # taken apart by hand: freeing it at once would recurse as deep
        deep = deep[0]
