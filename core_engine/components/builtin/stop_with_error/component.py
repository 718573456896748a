"""Ends a branch with an error of your own."""

from __future__ import annotations

from typing import Any

from pydantic import Field
from typing_extensions import override

from core_engine.components.conditions import text
from core_engine.components.fields import form
from core_engine.kernel.component import Component, Config, Port
from core_engine.kernel.context import Context
from core_engine.kernel.payload import Payload, Result
from shared.errors import ErrorCode, FloworkError

_LONGEST = 2000


class StopConfig(Config):
    """What is said."""

    message: Any = Field(
        "The workflow was stopped.", description="What went wrong, in a sentence for whoever looks at the run.",
        json_schema_extra=form(widget="textarea", rows=3, placeholder="Order {{ data.id }} has no address."),
    )  # fmt: skip


class StopWithError(Component[StopConfig]):
    """Always fails."""

    id = "stop_with_error"
    name = "Stop with error"
    description = (
        "Fails with a message of yours and is never tried again. Where its error port is connected the run goes on"
        " there."
    )
    category = "Logic"
    kind = "CONTROL_FLOW"
    outputs = (Port("error", "Error", "The error, and the data it came with."),)
    config_model = StopConfig

    @override
    def execute(self, context: Context, config: StopConfig, payload: Payload) -> Result:
        """Fail."""
        message = text(config.message).strip()[:_LONGEST] or "The workflow was stopped."
        raise FloworkError(ErrorCode.COMPONENT_FAILED, message, details={"final": True})
