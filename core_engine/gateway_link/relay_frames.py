"""The engine's frames under their Socket.IO names and shapes (protocol §3.2, §4.2)."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from core_engine.kernel.ports import Frame
from shared.contract.base import EVENTS
from shared.contract.relay import enveloped, refused_answer

TEXT_KEPT = 2000


@dataclass(frozen=True, slots=True)
class RelayEvent:
    """One event for a page. ``size`` is in bytes at most; ``job_id`` and ``seq`` are set for a run's events."""

    event: str
    data: dict[str, Any]
    size: int
    job_id: str | None = None
    seq: int = 0
    final: bool = False


@dataclass(frozen=True, slots=True)
class Question:
    """A command that waits for its answer: its Socket.IO name, its fields, and its client's own ``request_id``."""

    event: str
    payload: dict[str, Any]
    request_id: str | None


def relay_events(frame: Frame, question: Question | None, *, max_bytes: int) -> list[RelayEvent]:
    """Return what a page gets for a frame; ``question`` is the command that the frame answers, if it does."""
    if frame["type"] == "error":
        return _refusal(frame, question)
    frame = _with_id(frame, question)
    translate = _SHAPES.get(frame["type"], _plain)
    made = _event(EVENTS[frame["type"]].relay, translate(frame), frame)
    if made.size <= max_bytes:
        return [made]
    if made.seq:
        return [_event(made.event, _shortened(made), frame)]
    text = f"The answer has {made.size} bytes; the gateway passes {max_bytes} on. Ask on the engine's own socket."
    error = {"type": "error", "code": "TOO_LARGE", "message": text}
    return _refusal(error, question)


def _refusal(frame: Frame, question: Question | None) -> list[RelayEvent]:
    answers = (
        refused_answer(question.event, _asked(question), str(frame["message"]))
        if question is not None
        else []
    )
    made = [_event(name, enveloped(name, data)) for name, data in answers]
    if not made or answers[0][0] == "WORKFLOW_EXECUTION_UPDATE":
        frame = _with_id(frame, question)
        made.append(_event("error", {name: value for name, value in frame.items() if name != "type"}))
    return made


def _asked(question: Question) -> dict[str, Any]:
    return question.payload | {"request_id": question.request_id}


def _with_id(frame: Frame, question: Question | None) -> Frame:
    """Return the frame with the id by which its client knows it instead of ours."""
    if question is None or "request_id" not in frame:
        return frame
    frame = {name: value for name, value in frame.items() if name != "request_id"}
    return frame if question.request_id is None else frame | {"request_id": question.request_id}


def _event(name: str, data: dict[str, Any], frame: Frame | None = None) -> RelayEvent:
    raw = msgspec.json.encode(data)
    # Components may put anything into an event; from here on it is JSON that every library can write.
    data = msgspec.json.decode(raw)
    # Python's json writes what is not ASCII with six bytes for each character.
    size = len(raw) if raw.isascii() else len(json.dumps(data))
    seq = int(frame.get("seq") or 0) if frame else 0
    if frame is None or not seq:
        return RelayEvent(name, data, size)
    status = frame.get("status_data", {}).get("status")
    return RelayEvent(
        name, data, size, frame["job_id"], seq, final=status in {"SUCCEEDED", "FAILED", "STOPPED"}
    )


def _plain(frame: Frame) -> dict[str, Any]:
    data = {name: value for name, value in frame.items() if name != "type"}
    return enveloped(EVENTS[frame["type"]].relay, data)


def _metric(frame: Frame) -> dict[str, Any]:
    outer = ("type", "job_id", "seq")
    metric = {name: value for name, value in frame.items() if name not in outer}
    return {"job_id": frame["job_id"], "seq": frame["seq"], "metric": metric}


def _log(frame: Frame) -> dict[str, Any]:
    data = {name: value for name, value in frame.items() if name not in {"type", "timestamp"}}
    return data | {"ts": frame["timestamp"], "workflow_context_id": frame["job_id"]}


def _popup(frame: Frame) -> dict[str, Any]:
    look = frame.get("config") or {}
    kind = "text" if isinstance(frame["content"], str) else "json"
    config = {
        "theme": str(look.get("theme_mode") or "Default"),
        "auto_close": look.get("auto_close_seconds") or 0,
        "type": kind,
    }
    return {name: value for name, value in frame.items() if name != "type"} | {"config": config}


def _drives(frame: Frame) -> dict[str, Any]:
    data = {name: value for name, value in frame.items() if name not in {"type", "drives"}}
    return data | {"path": "", "items": frame["drives"]}


_SHAPES: dict[str, Callable[[Frame], dict[str, Any]]] = {
    "NODE_EXECUTION_METRIC": _metric,
    "log": _log,
    "SHOW_DEBUG_POPUP": _popup,
    "drives_list_response": _drives,
}


def _shortened(event: RelayEvent) -> dict[str, Any]:
    """Return a run's event without what makes it too large for the gateway; it keeps its place."""
    data = dict(event.data)
    if event.event == "SHOW_DEBUG_POPUP":
        data["content"] = (
            f"These are {event.size} bytes, too many for the gateway; see the engine's own socket."
        )
        data["title"] = str(data.get("title"))[:TEXT_KEPT]
        data["config"] = data["config"] | {"theme": "Default", "type": "text"}
    for place in (data, data.get("metric"), data.get("status_data")):
        if isinstance(place, dict):
            for name in ("message", "error", "error_message", "source"):
                if isinstance(place.get(name), str):
                    place[name] = place[name][:TEXT_KEPT]
    return data
