"""Cuts lists into pieces."""

from __future__ import annotations

from typing import Any

from pydantic import Field
from typing_extensions import override

from core_engine.components.members import records_member, save_as_member
from core_engine.components.records import records_of, succeed
from core_engine.kernel.component import Component, Config, Execution
from core_engine.kernel.context import Context
from core_engine.kernel.payload import Payload, Result


class SplitConfig(Config):
    """How large the pieces are."""

    size: int = Field(
        100, ge=1, le=1_000_000, description="How many items a batch has; the last may have fewer."
    )
    records: Any = records_member()
    save_as: str = save_as_member("batches")


class SplitBatch(Component[SplitConfig]):
    """Makes batches."""

    id = "split_batch"
    name = "Split into batches"
    description = "Splits a list into batches of one size: a list of lists, in the same order."
    category = "Data"
    execution = Execution.THREAD
    config_model = SplitConfig

    @override
    def execute(self, context: Context, config: SplitConfig, payload: Payload) -> Result:
        """Return the batches, ``batch_count`` and ``count``, the number of items."""
        records = records_of(config.records, payload.data)
        batches = [records[start : start + config.size] for start in range(0, len(records), config.size)]
        found = {config.save_as: batches, "batch_count": len(batches), "count": len(records)}
        return succeed(payload, **found)
