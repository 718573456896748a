"""Calculation with moments that know their time zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from core_engine.components.conditions import number

Unit = Literal["seconds", "minutes", "hours", "days", "weeks", "months", "years"]
_SECONDS: dict[str, int] = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86_400, "weeks": 604_800}
_LEAST_MS = 100_000_000_000
"""Numbers from here on are milliseconds: as seconds they would be after the year 5138."""


def read(value: Any, pattern: str, zone: ZoneInfo) -> datetime:
    """Return the moment a value says, in the zone. Raises ValueError, OverflowError or OSError."""
    stamp = number(value)
    if stamp is not None and not pattern and not _is_short_date(value):
        seconds = stamp / 1000 if abs(stamp) >= _LEAST_MS else stamp
        return datetime.fromtimestamp(seconds, tz=UTC).astimezone(zone)
    text = value.strip() if isinstance(value, str) else str(value)
    moment = datetime.strptime(text, pattern) if pattern else datetime.fromisoformat(text)  # noqa: DTZ007 - the zone comes next
    return moment.astimezone(zone) if moment.tzinfo else _real(moment.replace(tzinfo=zone))


def add(moment: datetime, amount: float, unit: Unit) -> datetime:
    """Return a moment moved: by clock time for hours and less, by the calendar for days and more."""
    if unit in {"months", "years"}:
        from dateutil.relativedelta import relativedelta  # noqa: PLC0415 - heavy, only where used

        if not float(amount).is_integer():
            raise ValueError(f"{unit} are added whole")
        months = int(amount) * (12 if unit == "years" else 1)
        return _real(moment + relativedelta(months=months))
    if unit in {"days", "weeks"} and float(amount).is_integer():
        return _real(moment + timedelta(seconds=amount * _SECONDS[unit]))
    moved = moment.astimezone(UTC) + timedelta(seconds=amount * _SECONDS[unit])
    return moved.astimezone(moment.tzinfo)


def difference(one: datetime, other: datetime, unit: Unit) -> int | float:
    """Return the units from one moment to another; months and years are whole."""
    if unit in {"months", "years"}:
        from dateutil.relativedelta import relativedelta  # noqa: PLC0415 - heavy, only where used

        apart = relativedelta(other.replace(tzinfo=None), one.replace(tzinfo=None))
        return int(apart.years if unit == "years" else apart.years * 12 + apart.months)
    found = (other - one if one.tzinfo is not other.tzinfo else _elapsed(one, other)).total_seconds()
    units = found / _SECONDS[unit]
    return int(units) if units.is_integer() else units


def bound(moment: datetime, unit: Unit, *, end: bool) -> datetime:
    """Return the first moment of the unit a moment is in, or with ``end`` its last microsecond."""
    start = moment.replace(microsecond=0, fold=moment.fold)
    order = ["seconds", "minutes", "hours", "days", "months", "years"]
    level = order.index("days" if unit == "weeks" else unit)
    clear = {"second": 0, "minute": 0, "hour": 0, "day": 1, "month": 1}
    start = start.replace(**dict(list(clear.items())[:level]))  # type: ignore[arg-type]
    if unit == "weeks":
        start -= timedelta(days=start.weekday())
    start = _real(start)
    return _real(add(start, 1, unit) - timedelta(microseconds=1)) if end else start


def _elapsed(one: datetime, other: datetime) -> timedelta:
    """Return the real time between moments of one zone, which plain subtraction does not."""
    return other.astimezone(UTC) - one.astimezone(UTC)


def _real(moment: datetime) -> datetime:
    """Return a moment that clocks show: in the hour that summer time leaves out, the one an hour later."""
    return moment.astimezone(UTC).astimezone(moment.tzinfo)


def _is_short_date(value: Any) -> bool:
    """Tell whether a text such as 20260331 is a date and not a number of seconds."""
    return isinstance(value, str) and len(value.strip()) == 8 and value.strip().isdecimal()
