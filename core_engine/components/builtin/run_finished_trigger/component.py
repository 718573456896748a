"""Starts a workflow when a run of another one has ended."""

from __future__ import annotations

from pydantic import Field, field_validator

from core_engine.components.fields import Words
from core_engine.components.triggers import TriggerComponent
from core_engine.kernel.component import Config

_ENDS = frozenset({"SUCCEEDED", "FAILED", "STOPPED"})


class RunFinishedConfig(Config):
    """Which ends count."""

    preset_filter: Words = Field(
        default_factory=list, max_length=100, description="Names of the presets whose runs count; empty: all."
    )
    status_filter: Words = Field(
        default_factory=list, description="Ends that count: SUCCEEDED, FAILED, STOPPED; empty: all."
    )

    @field_validator("status_filter")
    @classmethod
    def check_status(cls, names: list[str]) -> list[str]:
        """Refuse what is no end."""
        names = [name.upper() for name in names]
        if unknown := set(names) - _ENDS:
            raise ValueError(f"No run ends as {min(unknown)}; use SUCCEEDED, FAILED or STOPPED.")
        return names

    def wants(self, preset_name: str | None, status: str) -> bool:
        """Whether the end of such a run counts."""
        named = not self.preset_filter or preset_name in self.preset_filter
        return named and (not self.status_filter or status in self.status_filter)


class RunFinishedTrigger(TriggerComponent[RunFinishedConfig]):
    """Fires when a run has ended."""

    id = "run_finished_trigger"
    name = "Run Finished Trigger"
    description = "Starts the workflow when a run of another one has ended, well or not."
    config_model = RunFinishedConfig
