"""Works with dates and times."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator
from typing_extensions import override

from core_engine.components.builtin.date_time.moments import Unit, add, bound, difference, read
from core_engine.components.fields import form
from core_engine.components.members import save_as_member
from core_engine.components.records import fail, succeed
from core_engine.kernel.component import Component, Config
from core_engine.kernel.context import Context
from core_engine.kernel.payload import Payload, Result
from shared.clock import Clock


class DateTimeConfig(Config):
    """What is worked out."""

    action: Literal["now", "convert", "add", "difference", "start_of", "end_of"] = Field(
        "now",
        description=(
            "now is the present time; convert reads a date and writes it in the time zone and format; add moves it by"
            " an amount; difference is the time from date to other_date; start_of and end_of are the first and last"
            " moment of its unit."
        ),
    )
    date: Any = Field(
        None, description="The date: ISO 8601, Unix seconds or milliseconds; empty is now.",
        json_schema_extra=form(placeholder="{{ data.created_at }}"),
    )  # fmt: skip
    other_date: Any = Field(None, description="The second date of a difference; empty is now.")
    read_format: str = Field(
        "", max_length=200, description="How a date is written that is not ISO 8601.",
        json_schema_extra=form(placeholder="%d.%m.%Y %H:%M"),
    )  # fmt: skip
    amount: float = Field(
        1.0,
        ge=-1e9,
        le=1e9,
        description="How many units are added; negative goes back. Months and years are whole.",
    )
    unit: Unit = Field(
        "days", description="The unit of add, difference, start_of and end_of; weeks begin on Monday."
    )
    time_zone: str = Field(
        "UTC", max_length=100,
        description="Time zone of the result, and of dates that name none: a name such as Asia/Jakarta.",
        json_schema_extra=form(placeholder="Asia/Jakarta"),
    )  # fmt: skip
    format: str = Field(
        "", max_length=200, description="How the result is written, such as %d.%m.%Y; empty is ISO 8601.",
        json_schema_extra=form(placeholder="%Y-%m-%d"),
    )  # fmt: skip
    save_as: str = save_as_member("date")

    @field_validator("time_zone")
    @classmethod
    def _zone_known(cls, name: str) -> str:
        if "{{" not in name:
            zone_of(name)
        return name


class DateTime(Component[DateTimeConfig]):
    """Calculates with dates."""

    id = "date_time"
    name = "Date and time"
    description = "Tells the time, and reads, writes, moves and compares dates in any time zone."
    category = "Data"
    config_model = DateTimeConfig

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    @override
    def execute(self, context: Context, config: DateTimeConfig, payload: Payload) -> Result:
        """Return the date as text and ``unix_ms``; for difference the number of units."""
        try:
            return self._work(config, payload)
        except (OverflowError, OSError) as error:
            raise fail("The date is outside the years 1 to 9999.") from error
        except ValueError as error:
            raise fail(f"The date cannot be used: {error}.") from error

    def _work(self, config: DateTimeConfig, payload: Payload) -> Result:
        zone = zone_of(config.time_zone)
        moment = self._read(None if config.action == "now" else config.date, config, zone)
        if config.action == "difference":
            number = difference(moment, self._read(config.other_date, config, zone), config.unit)
            return succeed(payload, **{config.save_as: number})
        if config.action == "add":
            moment = add(moment, config.amount, config.unit)
        elif config.action in {"start_of", "end_of"}:
            moment = bound(moment, config.unit, end=config.action == "end_of")
        text = moment.strftime(config.format) if config.format else moment.isoformat()
        return succeed(payload, **{config.save_as: text, "unix_ms": round(moment.timestamp() * 1000)})

    def _read(self, value: Any, config: DateTimeConfig, zone: ZoneInfo) -> datetime:
        if value is None or value == "":
            return datetime.fromtimestamp(self._clock.now_ms() / 1000, tz=UTC).astimezone(zone)
        return read(value, config.read_format, zone)


def zone_of(name: str) -> ZoneInfo:
    """Return a time zone; raises ValueError for an unknown one."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"there is no time zone {name!r}") from error
