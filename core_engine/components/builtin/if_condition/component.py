"""Sends the data one way or the other."""

from __future__ import annotations

from typing import Any

from pydantic import Field
from typing_extensions import override

from core_engine.components.conditions import Operator, holds
from core_engine.components.fields import form
from core_engine.kernel.component import Component, Config, Port
from core_engine.kernel.context import Context
from core_engine.kernel.payload import Payload, Result


class IfConfig(Config):
    """The comparison."""

    left: Any = Field(
        None,
        title="Value",
        description="The value to judge.",
        json_schema_extra=form(placeholder="{{ data.status }}"),
    )
    operator: Operator = Field("==", description="How the two values are compared.")
    right: Any = Field(
        None, title="Compared with", description="The value to compare with; not used by is … operators."
    )


class IfCondition(Component[IfConfig]):
    """Branches on one comparison."""

    id = "if_condition"
    name = "If"
    description = "Compares two values and passes the data on along true or false."
    category = "Logic"
    kind = "LOGIC"
    outputs = (
        Port("true", "True", "The comparison holds."),
        Port("false", "False", "The comparison does not hold."),
        Port("error", "Error"),
    )
    config_model = IfConfig

    @override
    def execute(self, context: Context, config: IfConfig, payload: Payload) -> Result:
        """Choose the port."""
        port = "true" if holds(config.left, config.operator, config.right) else "false"
        return Result({port: payload})
