"""Starts a workflow when a program starts or ends on the engine's machine."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from core_engine.components.triggers import TriggerComponent
from core_engine.kernel.component import Config


class ProcessConfig(Config):
    """Which program."""

    process_name: str = Field(
        min_length=1, max_length=255, description="Name of the program, such as backup."
    )
    event: Literal["started", "stopped"] = Field("started", description="What counts.")
    check_interval: float = Field(5.0, ge=0.1, le=3600, description="Seconds between two looks.")


class ProcessTrigger(TriggerComponent[ProcessConfig]):
    """Fires when processes of a name appear or are gone."""

    id = "process_trigger"
    name = "Process Trigger"
    description = "Starts the workflow when a program starts or ends on the engine's machine."
    config_model = ProcessConfig
