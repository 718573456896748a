"""Kills and freezes the processes of a platform at random, and starts again what it killed."""

from __future__ import annotations

import asyncio
import contextlib
import random
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.support.platform import Platform, Service
from tests.support.redis import RedisServer
from tests.support.workers import Worker


@dataclass(frozen=True)
class Act:
    """Something that was done to a process, from when to when (monotonic seconds) it was not there."""

    what: str
    begun: float
    ended: float


@dataclass
class Crew:
    """The processes of a platform as they are now; ``hire`` starts a worker."""

    platform: Platform
    gateway: Service
    engine: Service
    workers: list[Worker] = field(default_factory=list)
    hire: Callable[[], Worker] | None = None
    redis: RedisServer | None = None

    def restart_engine(self) -> None:
        self.engine.kill()
        self.engine = self.platform.start_engine()

    def restart_gateway(self) -> None:
        self.gateway.kill()
        self.gateway = self.platform.start_gateway()

    def replace_worker(self, number: int) -> None:
        assert self.hire
        self.workers[number].kill()
        self.workers[number] = self.hire()
        self.workers[number].wait_until_ready()


class Chaos:
    """Acts until it is told to end. ``acts`` is what it has done."""

    def __init__(self, crew: Crew, rng: random.Random, mean_seconds: float) -> None:
        self.acts: list[Act] = []
        self._crew = crew
        self._rng = rng
        self._mean = mean_seconds
        self._next: list[str] = []

    async def rage(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), self._rng.uniform(0.3, 1.7) * self._mean)
            if not stop.is_set():
                await self._act()

    def acted_between(self, begun: float, ended: float) -> bool:
        """Tell whether anything was done to any process in that time."""
        return any(act.begun <= ended and act.ended >= begun for act in self.acts)

    def killed_between(self, begun: float, ended: float) -> bool:
        """Tell whether a process that carries out steps was killed in that time."""
        return any(
            act.what in {"kill engine", "kill worker"} and act.begun <= ended and act.ended >= begun
            for act in self.acts
        )

    async def _act(self) -> None:
        what, begun = self._choose(), time.monotonic()
        match what:
            case "kill engine":
                await asyncio.to_thread(self._crew.restart_engine)
            case "kill gateway":
                await asyncio.to_thread(self._crew.restart_gateway)
            case "kill worker":
                number = self._rng.randrange(len(self._crew.workers))
                await asyncio.to_thread(self._crew.replace_worker, number)
            case "freeze engine":
                await self._freeze(self._crew.engine)
            case "freeze gateway":
                await self._freeze(self._crew.gateway)
        self.acts.append(Act(what, begun, time.monotonic()))

    def _choose(self) -> str:
        """Return the next of a shuffled deck; the first deck begins with the kills, for a run may be short."""
        if not self._next:
            kills = ["kill engine", "kill gateway"] + ["kill worker"] * bool(self._crew.workers)
            freezes = ["freeze engine", "freeze gateway"]
            self._rng.shuffle(kills)
            self._rng.shuffle(freezes)
            self._next = kills + freezes
            if self.acts:
                self._rng.shuffle(self._next)
        return self._next.pop(0)

    async def _freeze(self, service: Service) -> None:
        service.popen.send_signal(signal.SIGSTOP)
        try:
            await asyncio.sleep(self._rng.uniform(0.5, 4.0))
        finally:
            service.popen.send_signal(signal.SIGCONT)
