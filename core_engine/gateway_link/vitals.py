"""How busy the engine is, measured at a steady pace and told to whoever listens (protocol §3.3, §4.1)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psutil

from shared.clock import Clock


@dataclass(frozen=True, slots=True)
class Vitals:
    """One measurement; percentages are 0-100, ``at_ms`` is Unix ms."""

    engine_id: str
    cpu_percent: float
    memory_percent: float
    busy: bool
    at_ms: int

    def to_frame(self) -> dict[str, Any]:
        """Return the raw-socket event ``engine_status_update``."""
        return {
            "type": "engine_status_update",
            "engineId": self.engine_id,
            "isBusy": self.busy,
            "cpuPercent": self.cpu_percent,
            "memoryPercent": self.memory_percent,
        }

    def to_link(self) -> dict[str, Any]:
        """Return the `/engine-socket` event ``engine_vitals_update``."""
        return {
            "engine_id": self.engine_id,
            "cpu_percent": self.cpu_percent,
            "memory_percent": self.memory_percent,
            "is_busy": self.busy,
            "ts": self.at_ms / 1000,
        }


class Pulse:
    """Measures every ``seconds`` and tells the listeners."""

    def __init__(self, engine_id: str, seconds: float, *, busy: Callable[[], bool], clock: Clock) -> None:
        self._engine_id = engine_id
        self._seconds = seconds
        self._busy = busy
        self._clock = clock
        self._listeners: list[Callable[[Vitals], None]] = []

    def subscribe(self, listener: Callable[[Vitals], None]) -> None:
        """Call back with every measurement."""
        self._listeners.append(listener)

    async def run(self) -> None:
        """Measure until cancelled."""
        # The first reading of a process has nothing to compare with and would always be 0.
        psutil.cpu_percent()
        while True:
            vitals = self._measure()
            for listener in self._listeners:
                listener(vitals)
            await asyncio.sleep(self._seconds)

    def _measure(self) -> Vitals:
        return Vitals(
            engine_id=self._engine_id,
            cpu_percent=_percent(psutil.cpu_percent()),
            memory_percent=_percent(psutil.virtual_memory().percent),
            busy=self._busy(),
            at_ms=self._clock.now_ms(),
        )


def _percent(value: float) -> float:
    return round(min(100.0, max(0.0, value)), 1)
