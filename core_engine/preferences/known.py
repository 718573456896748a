"""The preferences the engine knows, with their defaults (protocol §7.2)."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class KnownPreferences(BaseModel):
    """Known members are checked exactly; members of clients' own are kept as they are."""

    model_config = ConfigDict(frozen=True, extra="allow", strict=True)

    active_template: str = Field(default="default", max_length=200)
    language: str = Field(default="en", pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$")
    ai_gpu_layers: int = Field(default=-1, ge=-1, le=10_000)
    ai_worker_timeout_seconds: float = Field(default=600, ge=1, le=86_400)
    webhook_enabled: bool = True
    webhook_port: int = Field(default=8989, ge=1, le=65_535)
    global_error_handler_enabled: bool = False
    global_error_workflow_preset: str = Field(default="", max_length=120)
    last_run_time: str | float | None = None
    notifications_enabled: bool = True
    notifications_duration_seconds: float = Field(default=5, ge=0, le=3600)
    notifications_position: str = Field(default="bottom_right", max_length=40)


DEFAULTS: dict[str, Any] = KnownPreferences().model_dump(mode="json")
