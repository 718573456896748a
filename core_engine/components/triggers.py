"""What all trigger nodes have in common: they stand at the beginning of a workflow and pass their event on."""

from __future__ import annotations

from typing import ClassVar

from typing_extensions import override

from core_engine.kernel.component import Component, ConfigT, Port
from core_engine.kernel.context import Context
from core_engine.kernel.payload import Payload, Result


class TriggerComponent(Component[ConfigT]):
    """Base of the trigger nodes. What fires them is no part of the run: saving the preset makes a rule of the node."""

    category: ClassVar[str] = "Triggers"
    kind: ClassVar[str] = "TRIGGER"
    component_type: ClassVar[str] = "triggers"
    inputs: ClassVar[tuple[Port, ...]] = ()
    outputs: ClassVar[tuple[Port, ...]] = (Port("output", "Output"), Port("error", "Error"))

    @override
    def execute(self, context: Context, config: ConfigT, payload: Payload) -> Result:
        """Pass the event that started the run on."""
        return Result({"output": payload})
