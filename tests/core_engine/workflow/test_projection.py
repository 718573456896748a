"""Events are made from records alone, numbered without a gap, and have the documented shape."""

from __future__ import annotations

import json

from core_engine.workflow import records as r
from core_engine.workflow.parse import parse_workflow
from core_engine.workflow.projection import Projection, frame_count, status_frame
from shared.contract.run import RunStatus
from tests.core_engine.workflow.test_journal import SMALL
from tests.core_engine.workflow.workshop import EVENTS, Registry, workflow

GRAPH = parse_workflow(workflow("a>b", "a>c", a="add", b="add", c="add"), Registry())
KINDS = [
    (r.RunAccepted(0, 1_700_000_000_123, "run-1", "0xa", "EXECUTE", None, "h", None, SMALL, 1, 3, 2), 1),
    (r.StepStarted(0, 1000, 0, 2, 1, "once"), 1),
    (r.StepRan(0, 1000, 0, 1, 1.5, {"success": SMALL}, (0, 1)), 4),
    (r.LogWritten(0, 1000, 1, "WARN", "B", "text"), 1),
    (r.LogWritten(0, 1000, None, "INFO", "Executor", "text"), 1),
    (r.PopupShown(0, 1000, 1, "T", SMALL, {}), 1),
    (r.StepFinished(0, 1000, 0, 1, 2.0, {"success": SMALL}, (1,)), 2),
    (r.StepPassed(0, 1000, 0, {"success": SMALL}, (0, 1)), 2),
    (r.StepFailed(0, 1000, 1, 1, 2.0, "X", "text", 3500, {}, ()), 1),
    (r.StepFailed(0, 1000, 0, 1, 2.0, "X", "text", None, {"error": SMALL}, (0,)), 2),
    (r.StepUnknown(0, 1000, 0, 1, "text", {"error": SMALL}, (0,)), 2),
    (r.StepInterrupted(0, 1000, 0, True), 0),
    (r.StepCancelled(0, 1000, 2, 1, "text"), 1),
    (r.StopRequested(0, 1000, "0xa"), 0),
    (r.RunPaused(0, 1000, "0xa"), 1),
    (r.RunResumed(0, 1000, "0xa"), 1),
    (r.StepSuspended(0, 1000, 0, 1, "w1", 2000, "approval", {"title": "T", "message": "M"}), 1),
    (r.StepSuspended(0, 1000, 0, 1, "w1", None, "approval", None), 1),
    (r.StepSuspended(0, 1000, 0, 1, "w1", 2000, None, None), 1),
    (r.StepSuspended(0, 1000, 0, 1, "w1", None, "webhook", None), 1),
    (r.StepResumed(0, 1000, 0, 1, "approved", "0xb", "fine", {}), 1),
    (r.StepResumed(0, 1000, 0, 1, "due", None, "", None), 1),
    (r.StepSpent(0, 1000, 0, 1, "chat", "m-1", 12, 3, "0.00042", "USD", False), 1),
    (r.StepLooped(0, 1000, 0, 1, 0, 1.5, {"success": SMALL}, None), 1),
    (r.StepLooped(0, 1000, 0, 1, 1, 1.5, {"success": SMALL}, 5000), 1),
    (r.JoinExpired(0, 1000, 1), 1),
    (r.RoundStarted(0, 1000, 1, 3, 5000, "RUNNING"), 2),
    (r.RoundStarted(0, 1000, 2, 3, None, "PAUSED"), 2),
    (r.AlarmRaised(0, 1000, "late", "text"), 1),
    (r.AlarmRaised(0, 1000, "stuck", "text"), 1),
    (r.DeadlinePassed(0, 1000, "text"), 1),
    (r.FinallyStarted(0, 1000, "FAILED", "A: text", SMALL, "RUNNING"), 2),
    (r.StepSeeded(0, 1000, 0, "SUCCESS", {"success": SMALL}, (0, 1), "run-0", False, None), 3),
    (r.StepSeeded(0, 1000, 0, "ERROR", {}, (), None, True, "text"), 1),
    (r.StepSeeded(0, 1000, 0, "SKIPPED", {}, (), "run-0", False, None), 1),
    (r.BreakpointsSet(0, 1000, (0,), "0xb"), 1),
    (r.BreakpointHit(0, 1000, 1, "{}"), 1),
    (r.BreakpointsPassed(0, 1000, (1,), True, "0xb"), 1),
    (r.BreakpointsPassed(0, 1000, (), False, "0xb"), 1),
    (r.StepResumed(0, 1000, 0, 1, "ended", None, "2 of 3 well", None, {"count": 3}), 1),
    (r.LoopProgressed(0, 1000, 0, 2, 1, None, 4), 1),
    (r.RunFinished(0, 1000, "FAILED", "A: text"), 2),
    (r.RunFinished(0, 1000, "STOPPED", None), 2),
]


def numbered() -> list[r.Record]:
    seq, records = 1, []
    for record, _ in KINDS:
        fields = {name: getattr(record, name) for name in record.__struct_fields__} | {"seq": seq}
        records.append(type(record)(**fields))
        seq += frame_count(record)
    return records


def test_every_kind_gives_its_number_of_events():
    assert {type(record) for record, _ in KINDS} == set(r.AnyRecord.__args__)
    assert [frame_count(record) for record, _ in KINDS] == [count for _, count in KINDS]


def test_events_are_numbered_without_a_gap_and_fit_the_contract():
    frames = Projection("run-1", GRAPH, 1_700_000_000_123).frames(numbered())
    assert [frame["seq"] for frame in frames] == list(range(1, len(frames) + 1))
    assert len(frames) == sum(count for _, count in KINDS)
    for frame in frames:
        EVENTS[frame["type"]].validate_json(json.dumps(frame), strict=True)
        assert frame["job_id"] == "run-1"
        assert "payload" not in frame


def test_any_split_of_the_records_gives_the_same_events():
    projection = Projection("run-1", GRAPH, 5)
    records = numbered()
    whole = projection.frames(records)
    for cut in range(len(records)):
        assert projection.frames(records[:cut]) + projection.frames(records[cut:]) == whole


def test_a_failure_that_is_tried_again_tells_when():
    record = r.StepFailed(1, 1000, 1, 1, 2.0, "X", "text", 3500, {}, ())
    (frame,) = Projection("run-1", GRAPH, 5).frames([record])
    assert frame["retry_in_seconds"] == 2.5


def test_the_last_words_of_a_run():
    log, status = Projection("run-1", GRAPH, 1_700_000_000_123).frames(
        [r.RunFinished(8, 1_700_000_001_000, "SUCCEEDED", None)]
    )
    assert log["message"] == "Workflow finished: SUCCEEDED"
    assert (log["source"], log["level"], log["workflow_context_id"]) == ("Executor", "SUCCESS", "run-1")
    assert "node_id" not in log
    assert status["status_data"] == {
        "status": "SUCCEEDED", "start_time": "2023-11-14T22:13:20.123Z", "end_time": "2023-11-14T22:13:21.000Z",
    }  # fmt: skip


def test_a_status_says_only_what_is_known():
    assert status_frame("j", 1, RunStatus.PAUSED, "t", end_time=None)["status_data"] == {
        "status": "PAUSED",
        "start_time": "t",
    }
