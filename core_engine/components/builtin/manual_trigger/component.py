"""Starts a workflow by hand."""

from __future__ import annotations

from core_engine.components.triggers import TriggerComponent
from core_engine.kernel.component import Config


class ManualTrigger(TriggerComponent[Config]):
    """Fires when somebody fires its rule."""

    id = "manual_trigger"
    name = "Manual Trigger"
    description = "Starts the workflow when somebody fires it by hand."
