"""Starts a workflow when files change."""

from __future__ import annotations

from pydantic import Field, field_validator

from core_engine.components.fields import Words
from core_engine.components.triggers import TriggerComponent
from core_engine.kernel.component import Config

_KNOWN = frozenset({"created", "modified", "deleted", "moved"})


class FileSystemConfig(Config):
    """What is watched."""

    path_to_watch: str = Field(
        min_length=1,
        max_length=4096,
        description="A file or folder inside the folders that workflows may use.",
    )
    events: Words = Field(
        default_factory=lambda: ["created", "modified", "deleted", "moved"],
        description="Which changes count: created, modified, deleted, moved.",
    )
    recursive: bool = Field(False, description="Whether the folders below count too.")
    debounce_seconds: float = Field(
        0.5, ge=0.05, le=60, description="Changes this close to each other come as one event."
    )
    pattern: str = Field(
        "", max_length=200, description="Only files whose name fits, such as *.csv; empty: all."
    )

    @field_validator("events")
    @classmethod
    def check_events(cls, names: list[str]) -> list[str]:
        """Refuse what is no change."""
        if unknown := set(names) - _KNOWN:
            raise ValueError(f"{min(unknown)} is none of created, modified, deleted and moved.")
        return names

    def wants(self, event: str) -> bool:
        """Whether this kind of change counts."""
        return event in self.events


class FileSystemTrigger(TriggerComponent[FileSystemConfig]):
    """Fires when something below a path changes."""

    id = "file_system_trigger"
    name = "File System Trigger"
    description = "Starts the workflow when files are created, modified, deleted or moved."
    config_model = FileSystemConfig
