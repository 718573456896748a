"""Keeps the items of a list that fit, and hands on the others as well."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field
from typing_extensions import override

from core_engine.components.conditions import Operator, holds
from core_engine.components.fields import JsonList, Part, form
from core_engine.components.members import records_member, save_as_member
from core_engine.components.records import MISSING, added, reach, records_of
from core_engine.kernel.component import Component, Config, Execution, Port
from core_engine.kernel.context import Context
from core_engine.kernel.payload import Payload, Result


class Condition(Part):
    """What an item must meet; an empty field judges the item itself, a missing one counts as none."""

    field: str = Field("", max_length=200)
    operator: Operator = "=="
    value: Any = None

    def fits(self, item: Any) -> bool:
        """Tell whether an item meets it."""
        found = reach(item, self.field)
        return holds(None if found is MISSING else found, self.operator, self.value)


class FilterConfig(Config):
    """The conditions."""

    conditions: JsonList[Condition] = Field(
        min_length=1, max_length=50,
        description='A list of {"field", "operator", "value"}; a field such as customer.city reaches into objects.',
        json_schema_extra=form(language="json", rows=8),
    )  # fmt: skip
    match: Literal["all", "any"] = Field("all", description="Whether all conditions must hold, or any one.")
    records: Any = records_member()
    save_as: str = save_as_member("records")


class Filter(Component[FilterConfig]):
    """Sorts items into those that fit and those that do not."""

    id = "filter"
    name = "Filter"
    description = (
        "Keeps the items of a list that fit the conditions. They leave at kept, the others at rejected;"
        " both ports become active when there are items for both."
    )
    category = "Logic"
    kind = "LOGIC"
    outputs = (
        Port("kept", "Kept", "The items that fit, and their count."),
        Port("rejected", "Rejected", "The items that do not fit, and their count."),
        Port("error", "Error"),
    )
    execution = Execution.THREAD
    config_model = FilterConfig

    @override
    def execute(self, context: Context, config: FilterConfig, payload: Payload) -> Result:
        """Judge every item; their order stays."""
        judge = all if config.match == "all" else any
        kept: list[Any] = []
        rejected: list[Any] = []
        for item in records_of(config.records, payload.data):
            fits = judge(condition.fits(item) for condition in config.conditions)
            (kept if fits else rejected).append(item)
        context.log(f"{len(kept)} items fit, {len(rejected)} do not.", "DEBUG")
        outputs = {}
        if kept or not rejected:
            outputs["kept"] = added(payload, **{config.save_as: kept, "count": len(kept)})
        if rejected:
            outputs["rejected"] = added(payload, **{config.save_as: rejected, "count": len(rejected)})
        return Result(outputs)
