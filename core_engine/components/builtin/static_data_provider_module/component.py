"""Adds fixed name-value pairs to the data."""

from __future__ import annotations

from pydantic import Field
from typing_extensions import override

from core_engine.components.fields import JsonList, NamedValue, typed_values
from core_engine.kernel.component import Component, Config
from core_engine.kernel.context import Context
from core_engine.kernel.payload import Payload, Result


class StaticDataConfig(Config):
    """The pairs."""

    variables_to_set: JsonList[NamedValue] = Field(
        default_factory=list, title="Values", max_length=500,
        description="Names and values to put into the data; a value of the same name is replaced.",
    )  # fmt: skip


class StaticData(Component[StaticDataConfig]):
    """Provides fixed data."""

    id = "static_data_provider_module"
    name = "Static data"
    description = "Puts fixed names and values into the data; a good first step."
    category = "Data"
    config_model = StaticDataConfig

    @override
    def execute(self, context: Context, config: StaticDataConfig, payload: Payload) -> Result:
        """Merge the pairs into the incoming data; data that is no object is replaced."""
        base = payload.data if isinstance(payload.data, dict) else {}
        return Result.on("success", {**base, **typed_values(config.variables_to_set)}, payload.history)
