"""Turns journal records into the events that clients see; the same records always give the same events.

Frames are the documented raw-socket events of `shared.contract.run` as plain dicts (protocol §4.1-4.2).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, ClassVar

import msgspec

from core_engine.kernel.ports import Frame
from core_engine.kernel.suspension import APPROVAL, Ending
from core_engine.workflow import records as r
from core_engine.workflow.graph import Graph
from shared.clock import iso
from shared.contract.run import RunStatus

_RUNNING, _PAUSED = RunStatus.RUNNING.value, RunStatus.PAUSED.value
_FINAL_LEVEL = {
    RunStatus.SUCCEEDED.value: "SUCCESS",
    RunStatus.FAILED.value: "ERROR",
    RunStatus.STOPPED.value: "WARN",
}
_WAIT_ENDED = {
    Ending.APPROVED: ("INFO", "Approved"),
    Ending.REJECTED: ("WARN", "Rejected"),
    Ending.DUE: ("INFO", "The wait is over"),
    Ending.TIMEOUT: ("WARN", "No answer came in time"),
    Ending.ENDED: ("INFO", "Its runs have ended"),
    Ending.EVENT: ("INFO", "The event came"),
}
_MOST_NAMED = 20
_COUNTS: dict[type[r.Record], tuple[int, bool]] = {
    r.RunAccepted: (1, False),
    r.StepStarted: (1, False),
    r.StepRan: (2, True),
    r.LogWritten: (1, False),
    r.PopupShown: (1, False),
    r.StepFinished: (1, True),
    r.StepPassed: (0, True),
    r.StepFailed: (1, True),
    r.StepUnknown: (1, True),
    r.StepInterrupted: (0, False),
    r.StepCancelled: (1, False),
    r.StopRequested: (0, False),
    r.RunPaused: (1, False),
    r.RunResumed: (1, False),
    r.RunFinished: (2, False),
    r.StepSuspended: (1, False),
    r.StepResumed: (1, False),
    r.StepSpent: (1, False),
    r.StepLooped: (1, False),
    r.JoinExpired: (1, False),
    r.FinallyStarted: (2, False),
    r.RoundStarted: (2, False),
    r.DeadlinePassed: (1, False),
    r.AlarmRaised: (1, False),
    r.StepSeeded: (1, True),
    r.BreakpointsSet: (1, False),
    r.BreakpointHit: (1, False),
    r.BreakpointsPassed: (1, False),
    r.LoopProgressed: (1, False),
}


def frame_count(record: Any) -> int:
    """Return how many events a record gives: a fixed number, plus one per connection it opened."""
    fixed, opens = _COUNTS[type(record)]
    return fixed + len(record.taken) if opens else fixed


class Projection:
    """The events of one run; ``started_at`` is in Unix milliseconds."""

    __slots__ = ("_graph", "_job_id", "_start_time")

    def __init__(self, job_id: str, graph: Graph, started_at: int) -> None:
        self._job_id = job_id
        self._graph = graph
        self._start_time = iso(started_at)

    def frames(self, records: Iterable[r.Record]) -> list[Frame]:
        """Return the events of the records, in order and numbered."""
        out: list[Frame] = []
        handlers = self._HANDLERS
        for record in records:
            handler = handlers.get(type(record))
            if handler:
                handler(self, record, out)
        return out

    def _status(self, seq: int, status: str, end_time: str | None = None, error: str | None = None) -> Frame:
        return status_frame(self._job_id, seq, status, self._start_time, end_time=end_time, error=error)

    def _metric(self, record: Any, status: str, **more: Any) -> Frame:
        node = self._graph.nodes[record.node]
        return {
            "type": "NODE_EXECUTION_METRIC",
            "job_id": self._job_id,
            "seq": record.seq,
            "node_id": node.id,
            "status": status,
            "timestamp": record.at / 1000,
            "module_id": node.module_id,
            **more,
        }

    def _taken(self, seq: int, taken: tuple[int, ...], out: list[Frame]) -> None:
        for edge in taken:
            out.append(
                {
                    "type": "CONNECTION_STATUS_UPDATE",
                    "job_id": self._job_id,
                    "seq": seq,
                    "connection_id": self._graph.edges[edge].id,
                    "status": "ACTIVE",
                }
            )
            seq += 1

    def _log(self, record: r.Record, level: str, source: str, message: str, **more: str) -> Frame:
        return {
            "type": "log",
            "job_id": self._job_id,
            "seq": record.seq,
            "level": level,
            "source": source,
            "message": message,
            "timestamp": iso(record.at),
            **more,
        }

    def _on_accepted(self, record: r.RunAccepted, out: list[Frame]) -> None:
        out.append(self._status(record.seq, _RUNNING))

    def _on_started(self, record: r.StepStarted, out: list[Frame]) -> None:
        out.append(self._metric(record, "RUNNING", attempt=record.attempt))

    def _on_finished(self, record: r.StepFinished, out: list[Frame]) -> None:
        out.append(self._metric(record, "SUCCESS", attempt=record.attempt, execution_time_ms=record.ms))
        self._taken(record.seq + 1, record.taken, out)

    def _on_ran(self, record: r.StepRan, out: list[Frame]) -> None:
        node, seq = self._graph.nodes[record.node], record.seq
        started = {
            "type": "NODE_EXECUTION_METRIC",
            "job_id": self._job_id,
            "seq": seq,
            "node_id": node.id,
            "status": "RUNNING",
            "timestamp": record.at / 1000,
            "module_id": node.module_id,
            "attempt": record.attempt,
        }
        ended = started.copy()
        ended["seq"] = seq + 1
        ended["status"] = "SUCCESS"
        ended["timestamp"] = (record.at + record.ms) / 1000
        ended["execution_time_ms"] = record.ms
        out.append(started)
        out.append(ended)
        self._taken(seq + 2, record.taken, out)

    def _on_passed(self, record: r.StepPassed, out: list[Frame]) -> None:
        self._taken(record.seq, record.taken, out)

    def _on_failed(self, record: r.StepFailed, out: list[Frame]) -> None:
        frame = self._metric(
            record, "ERROR", attempt=record.attempt, execution_time_ms=record.ms, error=record.error
        )
        if record.retry_at is not None:
            frame["retry_in_seconds"] = max(0, record.retry_at - record.at) / 1000
        out.append(frame)
        self._taken(record.seq + 1, record.taken, out)

    def _on_unknown(self, record: r.StepUnknown, out: list[Frame]) -> None:
        out.append(self._metric(record, "ERROR", attempt=record.attempt, error=record.error))
        self._taken(record.seq + 1, record.taken, out)

    def _on_cancelled(self, record: r.StepCancelled, out: list[Frame]) -> None:
        out.append(self._metric(record, "ERROR", attempt=record.attempt, error=record.error))

    def _on_log(self, record: r.LogWritten, out: list[Frame]) -> None:
        place = {} if record.node is None else {"node_id": self._graph.nodes[record.node].id}
        out.append(self._log(record, record.level, record.source, record.message, **place))

    def _on_popup(self, record: r.PopupShown, out: list[Frame]) -> None:
        out.append(
            {
                "type": "SHOW_DEBUG_POPUP",
                "job_id": self._job_id,
                "seq": record.seq,
                "node_id": self._graph.nodes[record.node].id,
                "title": record.title,
                "content": msgspec.json.decode(record.content),
                "config": record.config,
            }
        )

    def _on_paused(self, record: r.RunPaused, out: list[Frame]) -> None:
        out.append(self._status(record.seq, _PAUSED))

    def _on_resumed(self, record: r.RunResumed, out: list[Frame]) -> None:
        out.append(self._status(record.seq, _RUNNING))

    def _on_end(self, record: r.RunFinished, out: list[Frame]) -> None:
        message, level = f"Workflow finished: {record.status}", _FINAL_LEVEL[record.status]
        out.append(self._log(record, level, "Executor", message, workflow_context_id=self._job_id))
        out.append(self._status(record.seq + 1, record.status, iso(record.at), record.error))

    def _on_suspended(self, record: r.StepSuspended, out: list[Frame]) -> None:
        node = self._graph.nodes[record.node]
        if record.signal != APPROVAL:
            name = record.event["name"] if record.event else ""
            signal = f"{record.signal} {name}".strip()
            what = f"for {signal}" if record.signal else f"until {iso(record.until or 0)}"
            out.append(self._log(record, "INFO", node.label, f"Waits {what}.", node_id=node.id))
            return
        prompt = record.prompt or {}
        frame = {
            "type": "MANUAL_APPROVAL_REQUESTED",
            "job_id": self._job_id,
            "seq": record.seq,
            "module_id": node.module_id,
            "message": prompt.get("message", ""),
            "node_id": node.id,
            "title": prompt.get("title", ""),
            "approval_id": record.wait_id,
            "workflow_context_id": self._job_id,
        }
        if record.until is not None:
            frame["expires_at"] = iso(record.until)
        out.append(frame)

    def _on_seeded(self, record: r.StepSeeded, out: list[Frame]) -> None:
        if record.status == "SKIPPED":
            node = self._graph.nodes[record.node]
            out.append(self._log(record, "INFO", node.label, "Left out of this run.", node_id=node.id))
            return
        error = {} if record.error is None else {"error": record.error}
        out.append(self._metric(record, record.status, attempt=0, execution_time_ms=0.0, **error))
        self._taken(record.seq + 1, record.taken, out)

    def _on_hit(self, record: r.BreakpointHit, out: list[Frame]) -> None:
        edge = self._graph.edges[record.edge]
        out.append(
            {
                "type": "BREAKPOINT_HIT",
                "job_id": self._job_id,
                "seq": record.seq,
                "connection_id": edge.id,
                "source_node_id": self._graph.nodes[edge.source].id,
                "target_node_id": self._graph.nodes[edge.target].id,
                "preview": record.preview,
                "timestamp": record.at / 1000,
            }
        )

    def _on_breakpoints(self, record: r.BreakpointsSet, out: list[Frame]) -> None:
        text = f"{record.by} set {len(record.edges)} breakpoint(s)."
        out.append(self._log(record, "INFO", "Executor", text))

    def _on_let_pass(self, record: r.BreakpointsPassed, out: list[Frame]) -> None:
        names = (
            ", ".join(self._graph.edges[edge].id for edge in record.edges[:_MOST_NAMED])
            or "nothing that waits"
        )
        how = "one step" if record.step else "on"
        out.append(self._log(record, "INFO", "Executor", f"{record.by} let the run go {how}: {names}."))

    def _on_answered(self, record: r.StepResumed, out: list[Frame]) -> None:
        node = self._graph.nodes[record.node]
        level, text = _WAIT_ENDED[Ending(record.ending)]
        text = f"{text} by {record.by}" if record.by else text
        text = f"{text}: {record.comment}" if record.comment else f"{text}."
        out.append(self._log(record, level, node.label, text, node_id=node.id))

    def _on_spent(self, record: r.StepSpent, out: list[Frame]) -> None:
        out.append(
            {
                "type": "NODE_USAGE",
                "job_id": self._job_id,
                "seq": record.seq,
                "node_id": self._graph.nodes[record.node].id,
                "timestamp": record.at / 1000,
                "attempt": record.attempt,
                "kind": record.kind,
                "model": record.model,
                "tokens_in": record.tokens_in,
                "tokens_out": record.tokens_out,
                "cost": record.cost,
                "currency": record.currency,
                "estimated": record.estimated,
            }
        )

    def _on_looped(self, record: r.StepLooped, out: list[Frame]) -> None:
        node, number = self._graph.nodes[record.node], record.iteration + 1
        of = f" of {node.lap.times}" if node.lap and node.lap.condition is None else ""
        then = "" if record.until is None else f"; the next begins at {iso(record.until)}"
        text = f"Iteration {number}{of} has ended{then}."
        out.append(self._log(record, "INFO", node.label, text, node_id=node.id))

    def _on_join_expired(self, record: r.JoinExpired, out: list[Frame]) -> None:
        node = self._graph.nodes[record.node]
        text = "Waited long enough: goes on with the inputs that are there."
        out.append(self._log(record, "WARN", node.label, text, node_id=node.id))

    def _on_finally(self, record: r.FinallyStarted, out: list[Frame]) -> None:
        text = f"The main part is over: {record.status}. What is to be done finally begins."
        out.append(self._log(record, "INFO", "Executor", text))
        out.append(self._status(record.seq + 1, record.run))

    def _on_round(self, record: r.RoundStarted, out: list[Frame]) -> None:
        then = "now" if record.until is None else f"at {iso(record.until)}"
        text = f"Round {record.number} of {record.rounds} has ended; the next begins {then}."
        out.append(self._log(record, "INFO", "Executor", text))
        out.append(self._status(record.seq + 1, record.status))

    def _on_deadline(self, record: r.DeadlinePassed, out: list[Frame]) -> None:
        out.append(self._log(record, "ERROR", "Executor", record.error))

    def _on_alarm(self, record: r.AlarmRaised, out: list[Frame]) -> None:
        out.append(
            {
                "type": "RUN_ALARM",
                "job_id": self._job_id,
                "seq": record.seq,
                "kind": record.kind,
                "message": record.message,
                "timestamp": iso(record.at),
            }
        )

    def _on_progressed(self, record: r.LoopProgressed, out: list[Frame]) -> None:
        out.append(
            {
                "type": "LOOP_PROGRESS",
                "job_id": self._job_id,
                "seq": record.seq,
                "node_id": self._graph.nodes[record.node].id,
                "done": record.done,
                "failed": record.failed,
                "total": record.total,
                "running": record.running,
            }
        )

    _HANDLERS: ClassVar[dict[type[r.Record], Callable[[Projection, Any, list[Frame]], None]]] = {
        r.RunAccepted: _on_accepted,
        r.StepStarted: _on_started,
        r.StepRan: _on_ran,
        r.LogWritten: _on_log,
        r.PopupShown: _on_popup,
        r.StepFinished: _on_finished,
        r.StepPassed: _on_passed,
        r.StepFailed: _on_failed,
        r.StepUnknown: _on_unknown,
        r.StepCancelled: _on_cancelled,
        r.RunPaused: _on_paused,
        r.RunResumed: _on_resumed,
        r.RunFinished: _on_end,
        r.StepSuspended: _on_suspended,
        r.StepResumed: _on_answered,
        r.StepSpent: _on_spent,
        r.StepLooped: _on_looped,
        r.JoinExpired: _on_join_expired,
        r.FinallyStarted: _on_finally,
        r.RoundStarted: _on_round,
        r.DeadlinePassed: _on_deadline,
        r.AlarmRaised: _on_alarm,
        r.StepSeeded: _on_seeded,
        r.BreakpointsSet: _on_breakpoints,
        r.BreakpointHit: _on_hit,
        r.BreakpointsPassed: _on_let_pass,
        r.LoopProgressed: _on_progressed,
    }


def status_frame(  # noqa: PLR0913 - what there is to say
    job_id: str,
    seq: int,
    status: str,
    start_time: str,
    *,
    end_time: str | None = None,
    error: str | None = None,
) -> Frame:
    """Return a ``workflow_status_update``, with ``end_time`` and ``error_message`` where they apply."""
    data = {"status": status, "start_time": start_time}
    if end_time is not None:
        data["end_time"] = end_time
    if error is not None:
        data["error_message"] = error
    return {"type": "workflow_status_update", "job_id": job_id, "seq": seq, "status_data": data}
