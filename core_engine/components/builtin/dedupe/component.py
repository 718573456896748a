"""Lets through what was not seen before."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec
from pydantic import Field
from typing_extensions import override

from core_engine.components.fields import Words, form
from core_engine.components.members import records_member, save_as_member, simulated
from core_engine.components.records import MISSING, added, fail, reach, records_of
from core_engine.components.state import MOST_MARKS, ComponentState, Place, Reach, place_of
from core_engine.kernel.component import Component, Config, Execution, Port, StepPolicy
from core_engine.kernel.context import Context
from core_engine.kernel.payload import Payload, Result

_DAY_MS = 86_400_000
_LISTS = ("records", "items", "rows", "lines")


class DedupeConfig(Config):
    """What makes two items the same, and how long that is remembered."""

    key: Words = Field(
        default_factory=list, max_length=10,
        description="The members that make two items the same, with commas between them; empty compares whole items.",
        json_schema_extra=form(placeholder="id"),
    )  # fmt: skip
    records: Any = records_member()
    name: str = Field(
        "", max_length=200,
        description="Name of the list of what was seen, to share it between steps; empty is this step's own.",
    )  # fmt: skip
    reach: Reach = Field(
        "workflow", description="Whether that list is this workflow's own, or shared by all of the engine."
    )
    days: float = Field(30.0, gt=0, le=3650, description="For how many days an item is remembered.")
    most: int = Field(
        100_000, ge=1, le=1_000_000,
        description="How many items are remembered at most; beyond that the oldest are forgotten.",
    )  # fmt: skip
    save_as: str = save_as_member("records")


class Dedupe(Component[DedupeConfig]):
    """Remembers items over runs."""

    id = "dedupe"
    name = "Remove seen before"
    description = (
        "Lets the items of a list through that no earlier run has seen, each once. New ones leave at unseen, the"
        " others at seen. Data without a list counts as one item."
    )
    category = "Logic"
    kind = "LOGIC"
    outputs = (
        Port("unseen", "Unseen", "The new items, and their count."),
        Port("seen", "Seen", "The items that came before, and their count."),
        Port("error", "Error"),
    )
    policy = StepPolicy.KEYED
    execution = Execution.THREAD
    queue = "engine"
    config_model = DedupeConfig

    def __init__(self, state: ComponentState) -> None:
        self._state = state

    @override
    def execute(self, context: Context, config: DedupeConfig, payload: Payload) -> Result:
        """Remember and sort; a step that is tried again gets the same answer."""
        items, marks = _items(config, payload.data)
        keep = (round(config.days * _DAY_MS), config.most)
        answer = self._state.unseen(_place(context, config), context.idempotency_key, marks, keep)
        return _sorted_out(config, payload, items, answer)

    @override
    def simulate(self, context: Context, config: DedupeConfig, payload: Payload) -> Result:
        """Sort, and remember nothing."""
        items, marks = _items(config, payload.data)
        answer = self._state.peek_unseen(_place(context, config), marks)
        context.log(simulated(f"remember {sum(answer)} items"), "DEBUG")
        return _sorted_out(config, payload, items, answer)


def _place(context: Context, config: DedupeConfig) -> Place:
    return place_of(context, "dedupe", config.reach, config.name or f"step {context.node_id}"[:200])


def _items(config: DedupeConfig, data: Any) -> tuple[list[Any] | None, list[bytes]]:
    """Return the list (None where the data is the one item) and a mark for each item."""
    single = config.records in (None, "") and not _holds_list(data)
    items = [data] if single else records_of(config.records, data)
    if len(items) > MOST_MARKS:
        raise fail(f"More than {MOST_MARKS} items at once; split the list first.")
    return (None if single else items), [_mark(item, config.key) for item in items]


def _holds_list(data: Any) -> bool:
    if isinstance(data, dict):
        return any(isinstance(data.get(name), list) for name in _LISTS)
    return isinstance(data, list)


def _mark(item: Any, key: list[str]) -> bytes:
    values = [reach(item, path) for path in key] if key else [item]
    if MISSING in values:
        raise fail(f"An item has no {key[values.index(MISSING)]} to know it by.")
    return hashlib.sha256(msgspec.json.encode(values, order="sorted")).digest()


def _sorted_out(
    config: DedupeConfig, payload: Payload, items: list[Any] | None, answer: list[bool]
) -> Result:
    if items is None:
        return Result({"unseen" if answer[0] else "seen": payload})
    new = [item for item, first in zip(items, answer, strict=True) if first]
    old = [item for item, first in zip(items, answer, strict=True) if not first]
    outputs = {}
    if new or not old:
        outputs["unseen"] = added(payload, **{config.save_as: new, "count": len(new)})
    if old:
        outputs["seen"] = added(payload, **{config.save_as: old, "count": len(old)})
    return Result(outputs)
