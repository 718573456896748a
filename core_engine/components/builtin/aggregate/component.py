"""Counts and sums records by groups, several ways at once."""

from __future__ import annotations

from typing import Any

from pydantic import Field
from typing_extensions import override

from core_engine.components.builtin.aggregate.grouping import Grouping, summarise
from core_engine.components.fields import JsonList, form
from core_engine.kernel.component import Component, Config, Execution
from core_engine.kernel.context import Context
from core_engine.kernel.payload import Payload, Result
from shared.errors import ErrorCode, FloworkError


class AggregateConfig(Config):
    """The groupings."""

    groupings: JsonList[Grouping] = Field(
        min_length=1, max_length=20,
        description=(
            'A list of {"name", "by", "where", "metrics", "sort_by", "order", "limit"}. Metrics are {"op", "field",'
            ' "name"} with op count, sum, avg, min or max; without any, records are counted. An empty by gives the'
            ' totals. where is a list of {"field", "operator", "value"}; order is desc, asc or seen.'
        ),
        json_schema_extra=form(language="json", rows=12),
    )  # fmt: skip
    records: Any = Field(
        None, description="The records, a list of objects; empty takes the data's records.",
        json_schema_extra=form(placeholder="{{ data.records }}"),
    )  # fmt: skip


class Aggregate(Component[AggregateConfig]):
    """Groups records."""

    id = "aggregate"
    name = "Aggregate"
    description = (
        "Groups records by fields and counts, sums, averages or finds the smallest and largest value of each group."
        " A missing value, an empty one and - count as 0; other texts that are no numbers are left out and counted."
    )
    category = "Data"
    execution = Execution.THREAD
    config_model = AggregateConfig

    @override
    def execute(self, context: Context, config: AggregateConfig, payload: Payload) -> Result:
        """Return ``groups`` (rows by grouping name), ``group_counts``, ``record_count`` and ``not_numeric``."""
        records = config.records
        if records is None or records == "":
            records = payload.data.get("records") if isinstance(payload.data, dict) else payload.data
        if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
            raise FloworkError(
                ErrorCode.COMPONENT_FAILED, "There are no records: a list of objects is needed."
            )
        return Result.on("success", summarise(config.groupings, records), payload.history)
