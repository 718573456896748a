"""Expressions worked out for whoever writes them, with the data of a past run: pure, and bounded like a step's own."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from core_engine.kernel.payload import Payload
from core_engine.kernel.preview import GivenResult, PreviewWish
from core_engine.workflow.aids import Pin
from core_engine.workflow.archive import Archive
from core_engine.workflow.expressions import Placeholder, Scope, Template, Variable, compile_text
from core_engine.workflow.failures import mask_value
from core_engine.workflow.results import merged
from core_engine.workflow.state import RunState
from core_engine.workflow.statements import find_statements
from shared.contract.expression import ExpressionPreview
from shared.errors import ErrorCode, FloworkError

MOST_PLACEHOLDERS = 20
MOST_CHARS = 4000
MOST_MEMBERS = 200
DEEPEST = 10


class Previews:
    """Works out one text after the other, away from the event loop."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._turn = asyncio.Lock()

    async def preview(self, wish: PreviewWish) -> ExpressionPreview:
        """Return what a text gives; what is wrong with it is told in the answer. NOT_FOUND for an unknown run."""
        async with self._turn:
            return await asyncio.to_thread(self._work_out, wish)

    def _work_out(self, wish: PreviewWish) -> ExpressionPreview:
        room = _Room()
        try:
            if find_statements(wish.text):
                return ExpressionPreview(kind="statement")
            template = compile_text(wish.text)
            if template is None:
                text = room.fit(wish.text)
                return ExpressionPreview(kind="text", result=text, cut=room.cut)
            _check_count(template)
        except FloworkError as error:
            return ExpressionPreview(kind="value", problem=error.message)
        state = self._archive.load_state(wish.run_id)[1] if wish.run_id else None
        payload = _payload(state, wish)
        scope = _scope(state, wish, payload or Payload())
        has_input = payload is not None
        try:
            found = _render(template, scope, room)
        except FloworkError as error:
            return ExpressionPreview(kind="value", problem=error.message, has_input=has_input)
        return ExpressionPreview(kind="value", result=found, has_input=has_input, cut=room.cut)


class _Room:
    """How much of an answer is shown: a query may repeat a large input, and nobody reads it all."""

    def __init__(self) -> None:
        self._chars = MOST_CHARS
        self._members = MOST_MEMBERS
        self.cut = False

    def fit(self, value: Any, depth: int = 0) -> Any:
        """Return the beginning of a JSON value, as much as there is room for."""
        if isinstance(value, str):
            return self._text(value)
        if not isinstance(value, Mapping | list):
            return value
        if depth >= DEEPEST:
            self.cut = True
            return "…"
        if isinstance(value, list):
            return [self.fit(item, depth + 1) for item in value[: self._take(len(value))]]
        names = list(value)[: self._take(len(value))]
        return {self._text(name): self.fit(value[name], depth + 1) for name in names}

    def _take(self, wanted: int) -> int:
        given = min(wanted, self._members)
        self._members -= given
        self.cut = self.cut or given < wanted
        return given

    def _text(self, text: str) -> str:
        given = text[: self._chars]
        self._chars -= len(given)
        self.cut = self.cut or len(given) < len(text)
        return given


class _Known:
    """The variables of a preview: their values are told beforehand, so that none is handed out in turn."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    def get(self, name: str, owner: str) -> Variable | None:  # noqa: ARG002 - the interface's
        """Return a variable, or None."""
        return Variable(self._values[name]) if name in self._values else None


def _check_count(template: Template) -> None:
    if sum(isinstance(part, Placeholder) for part in template.parts) > MOST_PLACEHOLDERS:
        message = (
            f"A text with more than {MOST_PLACEHOLDERS} expressions is worked out only when its step runs."
        )
        raise FloworkError(ErrorCode.TOO_LARGE, message)


def _render(template: Template, scope: Scope, room: _Room) -> Any:
    """Return what the template gives, each part cut before it becomes text."""
    values = [room.fit(part if isinstance(part, str) else part.value(scope)) for part in template.parts]
    return values[0] if len(values) == 1 else "".join(map(_as_text, values))


def _as_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else msgspec.json.encode(value).decode()


def _scope(state: RunState | None, wish: PreviewWish, payload: Payload) -> Scope:
    run: dict[str, Any] = {"id": "", "mode": "EXECUTE", "preset": None, "started_at": 0}
    if state:
        accepted = state.accepted
        run = {
            "id": accepted.run_id,
            "mode": accepted.mode,
            "preset": accepted.preset,
            "started_at": accepted.at,
        }
    seen: dict[str, Any] = {}

    def find(key: str) -> Any:
        if key not in seen:
            given = next((item for item in wish.results if key in {item.node_id, item.name}), None)
            found = _shown(given) if given else state.result(key) if state else None
            seen[key] = mask_value(found, wish.hidden)
        return seen[key]

    data, history = mask_value(payload.data, wish.hidden), mask_value(payload.history, wish.hidden)
    variables = _Known(mask_value(wish.variables, wish.hidden))
    return Scope(Payload(data, history), find, lambda: run, variables, "")


def _shown(given: GivenResult) -> dict[str, Any]:
    """Return a given result as ``nodes`` shows it."""
    ports = {port: Payload.from_value(value).to_wire() for port, value in given.outputs.items()}
    return {**next(iter(ports.values())), "outputs": ports}


def _payload(state: RunState | None, wish: PreviewWish) -> Payload | None:
    """Return what the node is given: as in the run where nothing has changed since, else what its inputs bring."""
    given = {item.node_id: item for item in wish.results}
    if state and not any(source in given for source, _ in wish.inputs):
        node = state.graph.by_id.get(wish.node_id or "")
        if node is not None and _was_reached(state, node, [source for source, _ in wish.inputs]):
            return state.given(node).payload
    found = [_part(state, given.get(source), source, port) for source, port in wish.inputs]
    parts = [part for part in found if part is not None]
    return merged(parts) if len(parts) > 1 else parts[0] if parts else None


def _was_reached(state: RunState, node: int, sources: Sequence[str]) -> bool:
    incoming = [state.graph.nodes[state.graph.edges[edge].source].id for edge in state.graph.incoming[node]]
    if sorted(incoming) != sorted(sources):
        return False
    first = not incoming or node == state.planner.start
    return first or node in state.laps or bool(state.planner.live[node])


def _part(state: RunState | None, given: GivenResult | None, source: str, port: str | None) -> Payload | None:
    if given:
        outputs = Pin.read(given.outputs).outputs
        named = port if port in outputs else next(iter(outputs), None)
        return None if named is None else Payload.from_value(outputs[named])
    node = state.graph.by_id.get(source) if state else None
    there = state.outputs[node] if state and node is not None else None
    if not state or not there:
        return None
    stored = there.get(port or next(iter(there)))
    return state.payloads.load(stored) if stored is not None else None
