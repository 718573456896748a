"""Starts a workflow by time."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from core_engine.components.fields import form
from core_engine.components.times import Timetable, check_zone, expanded, parse_moment
from core_engine.components.triggers import TriggerComponent
from core_engine.kernel.component import Config

_TEN_YEARS = 10 * 365 * 86_400.0


class CronConfig(Config):
    """When; exactly one of the three ways."""

    cron_string: str = Field(
        "", description="Cron expression: five fields, six with the seconds first, or an alias such as @daily.",
        json_schema_extra=form(placeholder="0 9 * * MON-FRI"),
    )  # fmt: skip
    timezone: str = Field("UTC", description="IANA time zone of the expression, such as Asia/Jakarta.")
    interval_seconds: float = Field(
        0.0,
        ge=0,
        le=_TEN_YEARS,
        description="Every so many seconds instead, at least 1; 0 for a cron expression.",
    )
    at: str = Field(
        "", max_length=60, description="Once at this date and time instead (ISO 8601).",
        json_schema_extra=form(placeholder="2027-01-31T09:00:00+07:00"),
    )  # fmt: skip
    missed: Literal["skip", "run_once", "run_all"] = Field(
        "run_once", description="What happens with starts that were missed while the engine was down: none, "
        "one run, or all of them (at most 100)."
    )  # fmt: skip
    late_seconds: float = Field(
        60.0, ge=1, le=86_400, description="A start later than this counts as missed and is reported."
    )

    @field_validator("cron_string")
    @classmethod
    def check_cron(cls, text: str) -> str:
        """Refuse what is no cron expression."""
        if text.strip():
            expanded(text)
        return text.strip()

    @field_validator("timezone")
    @classmethod
    def check_timezone(cls, name: str) -> str:
        """Refuse an unknown time zone."""
        return check_zone(name or "UTC")

    @model_validator(mode="after")
    def check_choice(self) -> Self:
        """Refuse none and several ways at once."""
        if sum(map(bool, (self.cron_string, self.interval_seconds, self.at))) != 1:
            raise ValueError("Give exactly one of cron_string, interval_seconds and at.")
        if 0 < self.interval_seconds < 1:
            raise ValueError("interval_seconds is at least 1.")
        if self.at:
            parse_moment(self.at, self.timezone)
        return self

    def timetable(self, anchor_ms: int) -> Timetable:
        """Return when it is due; intervals count from the anchor."""
        return Timetable(
            cron=self.cron_string,
            zone=self.timezone,
            interval_ms=round(self.interval_seconds * 1000),
            anchor_ms=anchor_ms,
            at_ms=parse_moment(self.at, self.timezone) if self.at else None,
        )


class CronTrigger(TriggerComponent[CronConfig]):
    """Fires by time."""

    id = "cron_trigger"
    name = "Cron Trigger"
    description = "Starts the workflow by time: a cron expression, an interval, or once."
    config_model = CronConfig
