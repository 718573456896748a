"""Ends the loop around it after the item at hand."""

from __future__ import annotations

from typing_extensions import override

from core_engine.kernel.component import Component, Config
from core_engine.kernel.context import Context
from core_engine.kernel.payload import Payload, Result


class LoopBreak(Component[Config]):
    """Ends a loop early."""

    id = "loop_break"
    name = "End the loop"
    description = (
        "Passes the data on; when this item's run has ended well, the loop around it starts no further item. Items"
        " that run at the same time come to their end."
    )
    category = "Logic"
    kind = "CONTROL_FLOW"
    config_model = Config
    ends_loop = True

    @override
    def execute(self, context: Context, config: Config, payload: Payload) -> Result:
        """Pass the data on; that the step ended well is what the loop looks for."""
        return Result({"success": payload})
