"""What the processes of a platform use, second by second, and whether that stays flat."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx
import psutil

from tests.soak.chaos import Crew

MIB = 1024 * 1024
_TASKS = re.compile(r"^flowork_engine_tasks (\S+)$", re.MULTILINE)
# What may be added between the first and the last third of the calm: a part of what there was, and so much more.
ROOM = {"memory": (0.06, 8.0), "descriptors": (0.05, 10), "threads": (0.05, 4), "tasks": (0.2, 30)}


@dataclass(frozen=True)
class Sample:
    """One process at one moment; ``memory`` in MiB."""

    at: float
    pid: int
    memory: float
    descriptors: float
    threads: float
    tasks: float | None = None


@dataclass(frozen=True)
class Trend:
    """How one figure of one process went: medians of the first and the last third, and the slope for an hour."""

    who: str
    what: str
    first: float
    last: float
    hourly: float

    @property
    def flat(self) -> bool:
        part, more = ROOM[self.what]
        return self.last <= self.first * (1 + part) + more


@dataclass
class Gauge:
    """Samples the processes of a crew every second."""

    crew: Crew
    samples: dict[str, list[Sample]] = field(default_factory=dict)

    async def watch(self, stop: asyncio.Event) -> None:
        async with httpx.AsyncClient(timeout=5) as http:
            while not stop.is_set():
                tasks = await self._tasks(http)
                for who, pid in self._pids().items():
                    with contextlib.suppress(psutil.Error):
                        taken = _sample(pid, tasks if who == "engine" else None)
                        self.samples.setdefault(who, []).append(taken)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), 1.0)

    def seen(self, since: float) -> int:
        """Return how often every process was sampled since a moment."""
        counts = (sum(sample.at >= since for sample in samples) for samples in self.samples.values())
        return min(counts, default=0)

    def trends(self, since: float) -> list[Trend]:
        """Return how everything went since a moment from which on no process was killed."""
        found = []
        for who, samples in sorted(self.samples.items()):
            calm = [sample for sample in samples if sample.at >= since and sample.pid == samples[-1].pid]
            for what in ROOM:
                series = [
                    (sample.at, value) for sample in calm if (value := getattr(sample, what)) is not None
                ]
                if len(series) >= 6:
                    found.append(_trend(who, what, series))
        return found

    def _pids(self) -> dict[str, int]:
        crew = self.crew
        workers = {f"worker {number}": worker.popen.pid for number, worker in enumerate(crew.workers)}
        return {"gateway": crew.gateway.popen.pid, "engine": crew.engine.popen.pid} | workers

    async def _tasks(self, http: httpx.AsyncClient) -> float | None:
        platform = self.crew.platform
        with contextlib.suppress(OSError, ValueError, httpx.HTTPError):
            address = json.loads((platform.folder / "engine" / "address.json").read_text())["http"]
            answer = await http.get(f"{address}/metrics", headers={"X-API-Key": platform.secret})
            if found := _TASKS.search(answer.text):
                return float(found[1])
        return None


def _sample(pid: int, tasks: float | None) -> Sample:
    process = psutil.Process(pid)
    with process.oneshot():
        memory = process.memory_info().rss / MIB
        return Sample(time.monotonic(), pid, memory, process.num_fds(), process.num_threads(), tasks)


def _trend(who: str, what: str, series: list[tuple[float, float]]) -> Trend:
    third = max(1, len(series) // 3)
    first, last = (
        statistics.median(value for _, value in part) for part in (series[:third], series[-third:])
    )
    slope = statistics.linear_regression(*zip(*series, strict=True)).slope
    return Trend(who, what, first, last, slope * 3600)


def table(trends: list[Trend], write: Callable[[str], None]) -> None:
    for trend in trends:
        word = "flat" if trend.flat else "GROWS"
        write(
            f"  {trend.who:<10} {trend.what:<12} {trend.first:9.1f} -> {trend.last:9.1f}"
            f"  ({trend.hourly:+.1f} an hour)  {word}"
        )
