"""When something is due: cron expressions, fixed intervals and single times, in a time zone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

ALIASES = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_LONGEST = 200
_LAST_YEAR = 9000


@dataclass(frozen=True, slots=True)
class Timetable:
    """One way of being due: ``cron`` in ``zone``, each ``interval_ms`` after ``anchor_ms``, or once at ``at_ms``."""

    cron: str = ""
    zone: str = "UTC"
    interval_ms: int = 0
    anchor_ms: int = 0
    at_ms: int | None = None

    def after(self, moment_ms: int) -> Iterator[int]:
        """Yield the due times after a moment, in Unix milliseconds, without end where there is none."""
        if self.at_ms is not None:
            yield from (self.at_ms,) if self.at_ms > moment_ms else ()
        elif self.interval_ms:
            count = max(0, (moment_ms - self.anchor_ms) // self.interval_ms)
            while True:
                count += 1
                yield self.anchor_ms + count * self.interval_ms
        elif self.cron:
            yield from self._cron_after(moment_ms)

    def first_after(self, moment_ms: int) -> int | None:
        """Return the first due time after a moment; None where there is none (any more)."""
        return next(self.after(moment_ms), None)

    def _cron_after(self, moment_ms: int) -> Iterator[int]:
        # The seconds count in whole ones: of 12:00:00.400 the time before is 12:00:00.
        local = datetime.fromtimestamp(moment_ms // 1000, tz=_zone(self.zone))
        last = moment_ms
        for found in CronSim(expanded(self.cron), local):
            if found.year > _LAST_YEAR:
                return
            due = int(found.astimezone(UTC).timestamp()) * 1000
            if due > last:  # two wall times of a skipped hour are one moment
                last = due
                yield due


def expanded(cron: str) -> str:
    """Return an expression with its alias written out; raises ValueError for what is none.

    Five fields, or six with the seconds first; Debian's rules at the change of the clocks.
    """
    text = cron.strip()
    text = ALIASES.get(text.lower(), text)
    if len(text) > _LONGEST:
        raise ValueError(f"A cron expression has at most {_LONGEST} characters.")
    try:
        CronSim(text, datetime(2024, 1, 1, tzinfo=UTC))
    except CronSimError as error:
        raise ValueError(f"{cron!r} is no cron expression: {error}.") from error
    return text


def check_zone(name: str) -> str:
    """Return the name of an IANA time zone; raises ValueError for an unknown one."""
    _zone(name)
    return name


def parse_moment(text: str, zone: str) -> int:
    """Return the Unix milliseconds of an ISO 8601 time, in the zone unless it says otherwise; raises ValueError."""
    moment = datetime.fromisoformat(text.strip())
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=_zone(zone))
    return max(0, round(moment.timestamp() * 1000))


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"{name!r} is no time zone; use an IANA name such as Asia/Jakarta.") from error
