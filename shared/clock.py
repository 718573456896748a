"""The clock as a parameter: what needs the time takes one of these, so tests decide what time it is."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Protocol


class Clock(Protocol):
    """A source of wall time and of monotonic time."""

    def now_ms(self) -> int:
        """Return Unix time in milliseconds."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never jump, for time-outs and durations."""
        ...


class SystemClock:
    """The machine's clock."""

    def now_ms(self) -> int:
        """Return Unix time in milliseconds."""
        return time.time_ns() // 1_000_000

    monotonic = staticmethod(time.monotonic)
    """The machine's monotonic seconds."""


@dataclass
class ManualClock:
    """A clock that stands still until it is moved."""

    ms: int = 1_700_000_000_000

    def now_ms(self) -> int:
        """Return the set time."""
        return self.ms

    def monotonic(self) -> float:
        """Return the set time in seconds."""
        return self.ms / 1000

    def advance(self, seconds: float) -> None:
        """Move the clock forward (or back, as a stepped wall clock does)."""
        self.ms += int(seconds * 1000)


@lru_cache(maxsize=256)
def iso(ms: int) -> str:
    """Return Unix milliseconds as ISO 8601 in UTC, such as ``2026-11-21T08:30:00.250Z``.

    What is asked for is mostly now, several times for each event, row and line.
    """
    return f"{_second(ms // 1000)}{ms % 1000:03d}Z"


@lru_cache(maxsize=64)
def _second(seconds: int) -> str:
    """Return the part up to the point; log lines and events ask for the same seconds again and again."""
    return datetime.fromtimestamp(seconds, tz=UTC).strftime("%Y-%m-%dT%H:%M:%S.")


def read_iso(text: str) -> int:
    """Return the Unix milliseconds of a time that `iso` wrote; raises ValueError for any other text."""
    moment = datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
    ms = round(moment.timestamp() * 1000)
    if iso(ms) != text:
        raise ValueError(f"not a time of the agreed form: {text[:40]}")
    return ms
