"""Waits for a time, also over restarts of the engine."""

from __future__ import annotations

from datetime import UTC, datetime

from pydantic import Field, field_validator
from typing_extensions import override

from core_engine.components.fields import form
from core_engine.kernel.component import Component, Config
from core_engine.kernel.context import Context
from core_engine.kernel.payload import Payload, Result
from core_engine.kernel.suspension import Answer, Suspend

_TEN_YEARS = 10 * 365 * 86_400.0


class WaitConfig(Config):
    """Until when."""

    until: str = Field(
        "",
        max_length=60,
        description="The date and time to wait for (ISO 8601; UTC unless it says otherwise). "
        "One that is past does not wait.",
        json_schema_extra=form(placeholder="2027-01-31T09:00:00+07:00"),
    )
    seconds: float = Field(
        60.0, ge=0, le=_TEN_YEARS, description="How long to wait, in seconds, where no time is given."
    )

    @field_validator("until")
    @classmethod
    def check_until(cls, text: str) -> str:
        """Refuse what is no time."""
        text = text.strip()
        if text:
            _parse(text)
        return text


class WaitUntil(Component[WaitConfig]):
    """Passes the data on when the time has come."""

    id = "wait_until"
    name = "Wait Until"
    description = "Waits for a time, for weeks if need be, and then passes the data on unchanged."
    category = "Logic"
    kind = "CONTROL_FLOW"
    config_model = WaitConfig

    @override
    def execute(self, context: Context, config: WaitConfig, payload: Payload) -> Suspend:
        """Be put aside until the time has come."""
        if config.until:
            return Suspend(until_ms=_parse(config.until))
        return Suspend(after_ms=round(config.seconds * 1000))

    @override
    def resume(self, context: Context, config: WaitConfig, payload: Payload, answer: Answer) -> Result:
        """Pass the data on."""
        return Result({"success": payload})

    @override
    def simulate(self, context: Context, config: WaitConfig, payload: Payload) -> Result:
        """Do not wait."""
        what = f"until {config.until}" if config.until else f"{config.seconds:g} s"
        context.log(f"Simulated: would wait {what}.", "DEBUG")
        return Result({"success": payload})


def _parse(text: str) -> int:
    """Return the Unix milliseconds of an ISO 8601 time."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0, round(moment.timestamp() * 1000))
