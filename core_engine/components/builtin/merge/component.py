"""Brings the branches of a workflow together."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field
from typing_extensions import override

from core_engine.components.builtin.merge.combining import by_key, by_position, merged
from core_engine.components.fields import Words, form
from core_engine.components.members import save_as_member
from core_engine.components.records import MISSING, added, fail, reach, records_of
from core_engine.kernel.component import Component, Config, Execution
from core_engine.kernel.context import Context
from core_engine.kernel.payload import Payload, Result

Mode = Literal["append", "combine_by_position", "combine_by_key", "merge_objects", "choose_first"]


class MergeConfig(Config):
    """How the branches become one."""

    mode: Mode = Field(
        "append",
        description=(
            "Append puts the lists of all branches one after the other. Combine by position makes one object of the"
            " items in the same place, combine by key of those with equal keys. Merge objects makes one object of"
            " all data. Choose first takes the first branch that has data. Branches are in the order of their"
            " connections; of equal names the later branch's value counts."
        ),
    )
    list_at: str = Field(
        "", max_length=200,
        description="Where each branch's list is in its data; empty takes the data itself or its records, items,"
        " rows or lines.",
        json_schema_extra=form(placeholder="orders"),
    )  # fmt: skip
    key: Words = Field(
        default_factory=list, max_length=10,
        description="The members that make two items belong together, with commas between them.",
        json_schema_extra=form(placeholder="id"),
    )  # fmt: skip
    keep_unmatched: bool = Field(
        True, description="Keep items that have no partner in every other branch when combining."
    )
    deep: bool = Field(False, description="Merge objects inside objects as well, rather than replace them.")
    save_as: str = save_as_member("records")


class Merge(Component[MergeConfig]):
    """A join: it runs once, when all its branches have come."""

    id = "merge"
    name = "Merge"
    description = "Waits for all its branches and makes one list or object of their data."
    category = "Logic"
    kind = "CONTROL_FLOW"
    execution = Execution.THREAD
    config_model = MergeConfig

    @override
    def execute(self, context: Context, config: MergeConfig, payload: Payload) -> Result:
        """Combine what came along each connection; a branch that was not taken is left out."""
        parts = [each.payload.data for each in context.inputs] or [payload.data]
        if config.mode == "choose_first":
            chosen = next((part for part in parts if part not in (None, "", [], {})), parts[0])
            return Result.on("success", chosen, payload.history)
        if config.mode == "merge_objects":
            return Result.on("success", _one_object(parts, deep=config.deep), payload.history)
        records = _records(config, [_list_of(part, config.list_at) for part in parts])
        base = _one_object([part for part in parts if isinstance(part, dict)], deep=False)
        found = {config.save_as: records, "count": len(records)}
        return Result({"success": added(Payload(base, payload.history), **found)})


def _records(config: MergeConfig, lists: list[list[Any]]) -> list[Any]:
    if config.mode == "append":
        return [item for items in lists for item in items]
    if config.mode == "combine_by_position":
        return by_position(lists, keep=config.keep_unmatched, deep=config.deep)
    if not config.key:
        raise fail("Combining by key needs a key.")
    return by_key(lists, config.key, keep=config.keep_unmatched, deep=config.deep)


def _list_of(data: Any, list_at: str) -> list[Any]:
    if not list_at:
        return records_of(None, data)
    found = reach(data, list_at)
    if found is MISSING:
        raise fail(f"A branch has no {list_at}.")
    return records_of(found, None)


def _one_object(parts: list[Any], *, deep: bool) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for part in parts:
        if not isinstance(part, dict):
            raise fail("A branch's data is not an object, so it cannot be merged with the others.")
        result = merged(result, part, deep=deep)
    return result
