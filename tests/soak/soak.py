"""A platform of real processes under load, whose processes are killed and frozen at random; and what came of it."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.soak.chaos import Chaos, Crew
from tests.soak.clients import Client, PageClient, SocketClient
from tests.soak.figures import Gauge, Trend, table
from tests.soak.hooks import HookClient, open_hook
from tests.soak.verdict import Judge
from tests.soak.work import Book, World, world
from tests.support.platform import Platform
from tests.support.postgres import postgres_server
from tests.support.redis import redis_server
from tests.support.workers import SECRET, Worker, worker

CHAOS_PART = 0.5
WARM_UP_PART = 0.5
"""Of the calm that follows: pages, threads and caches come back before anything is compared."""
PAGES_PART = 0.2
HOOKS_PART = 0.1
LEAST_SAMPLES = 15


@dataclass(frozen=True)
class Plan:
    """How long, with how many clients, which seed; ``think`` is the mean pause of a client in seconds.

    A busy machine takes longer: until ``least_acts`` failures were caused and enough was seen of the calm.
    """

    minutes: float
    clients: int
    seed: int
    workers: int = 0
    think: float = 6.0
    kill_seconds: float = 8.0
    least_acts: int = 3


@dataclass(frozen=True)
class Report:
    """What came of it."""

    started: int
    acknowledged: int
    ends: Counter[str]
    acts: Counter[str]
    faults: list[str]
    trends: list[Trend]
    unheard: Counter[str] = field(default_factory=Counter)

    @property
    def passed(self) -> bool:
        watched = {trend.who for trend in self.trends} >= {"engine", "gateway"}
        busy = self.acknowledged > self.started / 2
        return not self.faults and watched and busy and all(trend.flat for trend in self.trends)

    def show(self, write: Callable[[str], None]) -> None:
        write(f"runs started {self.started}, acknowledged {self.acknowledged}, ended {dict(self.ends)}")
        if self.started > self.acknowledged:
            told = "; ".join(f"{how} {count}" for how, count in self.unheard.most_common())
            write(f"without acknowledgement {self.started - self.acknowledged}: {told}")
        write(f"done to processes: {dict(self.acts)}")
        table(self.trends, write)
        for fault in self.faults[:50]:
            write(f"FAULT {fault}")
        write("passed" if self.passed else f"FAILED: {len(self.faults)} faults")


@contextmanager
def started(folder: Path, plan: Plan) -> Iterator[Crew]:
    """Start a platform, and what its workers need where there are some."""
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        environment = {
            "ENGINE_HTTP_PRIVATE_NETWORKS": "127.0.0.0/8",
            "ENGINE_LOG_LEVEL": "WARNING",
            **{f"GATEWAY_RATE_{kind}": "0" for kind in ("PER_IP", "UNAUTHENTICATED", "STRICT")},
        }
        if plan.workers:
            (folder / "redis").mkdir(parents=True)
            redis = stack.enter_context(redis_server(folder / "redis", password="pass-word"))
            postgres = stack.enter_context(postgres_server())
            environment |= {
                "ENGINE_STEPS": "workers",
                "ENGINE_WORKER_SECRET": SECRET,
                "ENGINE_REDIS_URL": redis.url,
                "DATABASE_URL": postgres.url,
            }
        platform = Platform(folder, environment)
        stack.callback(platform.close)
        gateway = platform.start_gateway()
        platform.register_engine()
        crew = Crew(platform, gateway, platform.start_engine())
        if plan.workers:
            crew.redis = redis
            given = platform.environment | {"FLOWORK_ENGINE_ID": platform.engine_id, "GATEWAY_URL": ""}
            given |= {"FLOWORK_DATA_DIR": str(folder), "ENGINE_LOG_LEVEL": "INFO"}  # it says that it listens
            crew.hire = lambda: stack.enter_context(worker(folder, given))
            for _ in range(plan.workers):
                hired: Worker = crew.hire()
                hired.wait_until_ready()
                crew.workers.append(hired)
        platform.wait_online()
        yield crew


async def soak(folder: Path, plan: Plan, write: Callable[[str], None]) -> Report:
    """Run a soak to its end."""
    write(
        f"SOAK_SEED={plan.seed} minutes={plan.minutes:g} clients={plan.clients} workers={plan.workers} in {folder}"
    )
    running = started(folder, plan)
    crew = await asyncio.to_thread(running.__enter__)
    try:
        async with world() as outside:
            return await _under_load(crew, outside, plan, write)
    finally:
        await asyncio.to_thread(running.__exit__, None, None, None)


async def _under_load(crew: Crew, outside: World, plan: Plan, write: Callable[[str], None]) -> Report:
    rng = random.Random(plan.seed)
    chaos = Chaos(crew, random.Random(rng.random()), plan.kill_seconds)
    book, gauge = Book(), Gauge(crew)
    await open_hook(HookClient(crew.platform, outside, book, rng, plan.think))
    house = House(_clients(crew.platform, outside, book, plan, rng), gauge, chaos)
    try:
        calm = await house.rage(plan)
        write(f"calm after {len(chaos.acts)} failures; {len(book.runs)} runs so far")
        trends = await house.rest(plan, calm)
        await house.end()
    finally:
        await house.close()
    judge = Judge(crew.platform, outside, book, chaos)
    await judge.judge()
    acts = Counter(act.what for act in chaos.acts)
    return Report(
        len(book.runs), len(book.acknowledged), judge.ends, acts, judge.faults, trends, judge.unheard
    )


class House:
    """The tasks of a soak: the clients, those who watch, and those who break things."""

    def __init__(self, clients: list[Client], gauge: Gauge, chaos: Chaos) -> None:
        self._gauge = gauge
        self._chaos = chaos
        self._enough, self._raged, self._watched = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._load = [asyncio.create_task(client.live(self._enough), name="a client") for client in clients]
        self._watching = asyncio.create_task(gauge.watch(self._watched), name="the gauge")
        self._raging = asyncio.create_task(chaos.rage(self._raged), name="the chaos")

    async def rage(self, plan: Plan) -> float:
        """Let failures happen; return the moment from which on there are none."""
        await self._pass(plan.minutes * 60 * CHAOS_PART, self._watching, self._raging)
        while len(self._chaos.acts) < plan.least_acts:
            await self._pass(1, self._watching, self._raging)
        self._raged.set()
        await self._raging
        return time.monotonic()

    async def rest(self, plan: Plan, calm: float) -> list[Trend]:
        """Let the load go on without failures, and return how the figures went after a while of that."""
        await self._pass(plan.minutes * 60 * (1 - CHAOS_PART), self._watching)
        while self._gauge.seen(calm) < LEAST_SAMPLES:
            await self._pass(1, self._watching)
        return self._gauge.trends(calm + (time.monotonic() - calm) * WARM_UP_PART)

    async def end(self) -> None:
        """Let the clients finish what they began."""
        self._enough.set()
        await asyncio.gather(*self._load)
        self._watched.set()
        await self._watching

    async def close(self) -> None:
        """Cancel what is left after a failure."""
        tasks = [*self._load, self._watching, self._raging]
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks, timeout=60)

    async def _pass(self, seconds: float, *others: asyncio.Task[None]) -> None:
        """Let time go by; a task that ends meanwhile has failed."""
        done, _ = await asyncio.wait(
            [*self._load, *others], timeout=seconds, return_when=asyncio.FIRST_COMPLETED
        )
        for task in done:
            task.result()
            raise AssertionError(f"{task.get_name()} ended early")


def _clients(platform: Platform, outside: World, book: Book, plan: Plan, rng: random.Random) -> list[Client]:
    pages, hooks = int(plan.clients * PAGES_PART), int(plan.clients * HOOKS_PART)
    kinds = [PageClient] * pages + [HookClient] * hooks + [SocketClient] * (plan.clients - pages - hooks)
    return [kind(platform, outside, book, random.Random(rng.random()), plan.think) for kind in kinds]
