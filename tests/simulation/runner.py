"""P1: the engine's real runner under a seed: random workflows, crashes at any callback, bad disks, jumping clocks."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from core_engine.kernel.family import CalledWorkflow
from core_engine.kernel.ports import StartRun
from core_engine.kernel.suspension import Answer, Ending, SignedAnswer
from core_engine.settings import Limits
from core_engine.storage import EngineStore
from core_engine.workflow import RunService
from core_engine.workflow.aids import aids_option
from shared.contract.run import NodeStatus, RunStatus
from shared.errors import ErrorCode, FloworkError
from tests.simulation.checks import Books
from tests.simulation.disk import Disk, Trouble
from tests.simulation.loop import Crash, SimClock, SimLoop, SimThreads, Stuck
from tests.simulation.page import Page
from tests.simulation.world import EVENT_NAME, Parts, World, random_workflow, with_events

OWNER = "0x" + "a" * 40
FAULTS_END = 40.0
PATIENCE = 20_000.0
"""Virtual seconds for what is left to end, and more than the longest waits take: 200 s, for each item, lap by lap."""
JUMPS = (0.0, -300.0, 400.0, -20.0)
SHORT = 0.85
"""The part of the seeds whose lives are short: one run of one or two steps besides what these start."""
_PASSING = frozenset(
    {
        ErrorCode.RATE_LIMITED,
        ErrorCode.STORAGE_FULL,
        ErrorCode.DEADLINE_EXCEEDED,
        ErrorCode.ENGINE_UNAVAILABLE,
        ErrorCode.INTERNAL,
    }
)


@dataclass
class Errand:
    """What a client wants of a run: to be started, and then steered at some times."""

    run_id: str
    workflow: dict[str, Any]
    at: float
    orders: list[tuple[float, str]]
    options: dict[str, Any] | None = None
    accepted: bool = False
    stopped: bool = False
    page: Page | None = None
    seen: list[dict[str, Any]] = field(default_factory=list)
    ended: bool = False

    def request(self) -> StartRun:
        """Return the start, each time the same one."""
        return StartRun(self.run_id, self.workflow, OWNER, options=self.options)

    def take(self, frames: Sequence[dict[str, Any]]) -> None:
        """Be given events of the run."""
        self.seen += frames
        self.ended = self.ended or any(
            frame["type"] == "workflow_status_update" and RunStatus(frame["status_data"]["status"]).final
            for frame in frames
        )


class Simulation:
    """One seed. `run` it; it raises AssertionError with what went wrong.

    Odd seeds have waits for events and breakpoints besides, drawn apart so that even ones stay what they were.
    """

    eventful = True

    def __init__(self, seed: int) -> None:
        self.rng = rng = random.Random(seed)
        self.disk = Disk()
        self.world = World(self.disk, rng)
        self._parts = self.parts()
        self.now = self.jump = 0.0
        self.trace = 0
        # most of what goes wrong needs little: many short lives find more than a few long ones
        self.most_nodes = 2 if rng.random() < SHORT else 6
        self.errands = [
            self._errand(number) for number in range(1 if self.most_nodes == 2 else rng.randint(1, 4))
        ]
        self.saved = {name: random_workflow(rng, depth=1) for name in ("one", "two")}
        self.limits = Limits(
            max_parallel_steps=rng.randint(1, 5), max_parallel_steps_per_run=rng.randint(1, 4),
            max_open_runs=rng.choice([2, 3, 50]),
        )  # fmt: skip
        self.park_after = rng.choice([0.05, 2.0])
        self.swarm = {
            name: rng.random() < 0.5 for name in ("crash", "die", "full", "broken", "slow", "jump", "close")
        }
        self.deaths = rng.randint(1, 4)
        if self.eventful and seed % 2:
            self._add_more(random.Random(seed))

    def _errand(self, number: int) -> Errand:
        rng = self.rng
        orders = sorted(
            (rng.uniform(0, 30), rng.choice(["pause", "resume", "stop", "again"]))
            for _ in range(rng.randint(0, 3))
        )
        if rng.random() < 0.6:
            orders = []
        name = f"run-{number}"
        page = Page(name, rng) if rng.random() < 0.3 else None
        return Errand(name, random_workflow(rng, most=self.most_nodes), rng.uniform(0, 6), orders, page=page)

    def _add_more(self, rng: random.Random) -> None:
        for workflow in (*(errand.workflow for errand in self.errands), *self.saved.values()):
            with_events(rng, workflow)
        for errand in self.errands:
            edges = [edge["id"] for edge in errand.workflow["connections"] if rng.random() < 0.4]
            errand.options = aids_option({}, edges if rng.random() < 0.3 else ())

    def parts(self) -> Parts:
        """Make the components."""
        return Parts(self.world)

    def registry(self) -> Parts:
        """Return the components of a process."""
        return self._parts

    def executor(self, clock: SimClock, store: EngineStore) -> Any:
        """Return what carries steps out; None: the engine itself."""
        del clock, store

    def run(self) -> None:
        """Let one process follow the other until everything has ended; then judge."""
        try:
            while not self._live_once():
                self.world.died()
                for errand in self.errands:
                    if errand.page:
                        errand.page.lose()
            self._judge()
        finally:
            self.disk.close()

    def _live_once(self) -> bool:
        """Let one process live; return whether it ended because there is nothing left to do."""
        self.world.process += 1
        faulty = self.now < FAULTS_END and self.world.process <= self.deaths
        crash_at = None
        if faulty and self.swarm["crash"]:
            crash_at = int(self.rng.expovariate(1 / 400)) + 1
        loop = SimLoop(self.rng, now=self.now, crash_at=crash_at)
        # what is due by a clock that was ahead waits for one that was set back to get there
        loop.ends_at = FAULTS_END + PATIENCE + (max(JUMPS) - min(JUMPS) if self.swarm["jump"] else 0.0)
        try:
            return bool(loop.live(self.process(loop, self._trouble(faulty=faulty))))
        except Crash:
            return False
        except Stuck as error:
            raise Stuck(f"{error}; {self._where()}") from None
        finally:
            self.now = loop.now + self.rng.random()
            self.trace ^= loop.trace
            mistakes = [
                f"{item.get('message')}: {item.get('exception')!r} {item.get('task')!r}"
                for item in loop.mistakes
            ]
            self.world.wrong += [f"a task failed: {text}" for text in mistakes]

    def process(self, loop: SimLoop, trouble: Trouble) -> Coroutine[Any, Any, bool]:
        """Return one life of the engine, to be run."""
        return Process(self, loop, trouble).main()

    def _trouble(self, *, faulty: bool) -> Trouble:
        trouble = Trouble(self.rng)
        trouble.on = faulty
        trouble.full = 0.05 if self.swarm["full"] else 0.0
        trouble.broken = 0.01 if self.swarm["broken"] else 0.0
        trouble.dies = 0.02 if self.swarm["die"] else 0.0
        trouble.slow = self.rng.choice([0.05, 2.0, 40.0]) if self.swarm["slow"] else 0.002
        return trouble

    def _where(self) -> str:
        rows = self.disk.reader.query("SELECT id, status, records FROM run WHERE finished_at IS NULL")
        return f"unfinished: {rows}"

    def _judge(self) -> None:
        books = Books(self.disk.reader, self.disk.blobs, self.registry())
        problems = [*self.world.wrong, *books.problems()]
        rows = {row.id: row for row in books.rows}
        for errand in self.errands:
            row = rows.get(errand.run_id)
            if row is None:
                problems.append(f"{errand.run_id} was acknowledged and is gone")
                continue
            if errand.stopped and row.status == RunStatus.RUNNING.value:
                problems.append(f"{errand.run_id} goes on after its stop was acknowledged")
            frames = books.frames(errand.run_id)
            if errand.page:
                problems += errand.page.problems(len(frames))
            elif errand.seen != frames:
                problems.append(f"{errand.run_id}: its follower saw something else than the journal has")
        if books.count_parked():
            problems.append("runs are noted as parked that have ended")
        assert not problems, "\n".join(problems[:10])


class Process:
    """One life of the engine, with its clients beside it."""

    def __init__(self, simulation: Simulation, loop: SimLoop, trouble: Trouble) -> None:
        self._sim = simulation
        self._loop = loop
        self._trouble = trouble
        self._clock = SimClock(loop, simulation.jump)
        self._fatal = asyncio.Event()
        self._store: EngineStore | None = None

    async def main(self) -> bool:
        """Work until all is done (True), or until this process has to end."""
        sim, loop = self._sim, self._loop
        self._store = store = sim.disk.open(loop, self._trouble)
        runs = RunService(
            store, sim.registry(), _NoFiles(), sim.limits, clock=self._clock, rng=random.Random(sim.rng.random()),
            on_fatal=lambda _error: self._fatal.set(), presets=self._preset, park_after=sim.park_after,
            threads=SimThreads(loop), executor=sim.executor(self._clock, store),
        )  # fmt: skip
        store.watch(lambda _taken: None, lambda _error: self._fatal.set())
        await runs.recover()
        for errand in sim.errands:
            assert not errand.accepted or store.reads.run(errand.run_id), "an acknowledged run is lost"
        clients = [asyncio.create_task(self._client(runs, errand)) for errand in sim.errands]
        others = [asyncio.create_task(self._fatal.wait()), asyncio.create_task(self._weather())]
        person = asyncio.create_task(self._person(runs))
        if self._trouble.on and sim.swarm["close"]:
            others.append(asyncio.create_task(asyncio.sleep(sim.rng.uniform(0, 20))))
        served = asyncio.create_task(_all(clients))
        await asyncio.wait([served, others[0], *others[2:]], return_when=asyncio.FIRST_COMPLETED)
        done = served.done()
        if done:
            served.result()
            done = await self._settle(runs)
        for task in (person, served, *clients, *others):
            task.cancel()
        await asyncio.gather(person, served, *clients, *others, return_exceptions=True)
        await asyncio.gather(*(errand.page.close() for errand in sim.errands if errand.page))
        await runs.close(sim.rng.choice([0.0, 1.0]))
        store.close()
        return done

    async def _settle(self, runs: RunService) -> bool:
        """Wait until nothing is left: runs that nobody follows have to end too. False: the disk failed meanwhile."""
        while runs.open_runs or runs.running_steps or runs.queues["journal"]:
            if self._fatal.is_set():
                return False
            await asyncio.sleep(1)
        assert runs.queues["steps"] == 0, "runs stand in line for a free slot"
        return not self._fatal.is_set()

    async def _weather(self) -> None:
        """Set the wall clock off now and then, and end the faults when their time is over."""
        sim = self._sim
        while self._trouble.on and self._loop.now < FAULTS_END:
            await asyncio.sleep(sim.rng.uniform(0.5, 10))
            if sim.swarm["jump"] and self._trouble.on:
                sim.jump = self._clock.jump = sim.rng.choice(JUMPS)
        self._trouble.on = False
        await asyncio.Event().wait()

    def _preset(self, name: str) -> CalledWorkflow:
        return CalledWorkflow(name, 1, self._sim.saved[name])

    async def _client(self, runs: RunService, errand: Errand) -> None:
        await asyncio.sleep(max(0.0, errand.at - self._loop.now))
        if not errand.accepted:
            await self._insist(lambda: runs.start(errand.request()))
            errand.accepted = True
        if not errand.ended:
            await self._insist(lambda: self._follow(runs, errand))
        while errand.orders:
            at, order = errand.orders[0]
            await asyncio.sleep(max(0.0, at - self._loop.now))
            await self._order(runs, errand, order)
            errand.orders.pop(0)
        while not errand.ended:
            await asyncio.sleep(3)
            if errand.page:
                errand.page.open_again(self._trouble)
                errand.ended = errand.page.ended

    async def _follow(self, runs: RunService, errand: Errand) -> None:
        if errand.page:
            errand.page.open(runs, self._trouble)
            return
        await runs.subscribe(errand.run_id, errand.take, errand.seen[-1]["seq"] if errand.seen else 0)

    async def _order(self, runs: RunService, errand: Errand, order: str) -> None:
        name = errand.run_id
        try:
            if order == "stop":
                await self._insist(lambda: runs.stop(name, OWNER))
                errand.stopped = True
            elif order == "pause":
                await self._insist(lambda: runs.pause(name, OWNER))
            elif order == "resume":
                await self._insist(lambda: runs.resume(name, OWNER))
            else:
                await self._insist(lambda: runs.start(errand.request()))
        except FloworkError as error:
            if error.code is not ErrorCode.CONFLICT:
                raise

    async def _insist(self, call: Any) -> Any:
        """Ask again while the engine says that it cannot now, as a client does."""
        while True:
            try:
                return await call()
            except FloworkError as error:
                if error.code not in _PASSING:
                    raise
            await asyncio.sleep(self._sim.rng.uniform(0.1, 2))

    async def _person(self, runs: RunService) -> None:
        """Be the person who lets paused runs go on and answers what is asked."""
        for times in itertools.count():
            await asyncio.sleep(4)
            if self._sim.eventful:
                await self._tell(runs)
            for name in self._unattended(runs, everywhere=times % 8 == 0):
                with suppress(FloworkError):
                    await self._attend(runs, name)

    async def _tell(self, runs: RunService) -> None:
        """Tell all that wait of an event, or one of them."""
        assert self._store
        tokens = [
            token for (token,) in self._store.reads.query("SELECT token FROM event_wait ORDER BY token")
        ]
        with suppress(FloworkError):
            if tokens and self._sim.rng.random() < 0.5:
                await runs.resume_wait(self._sim.rng.choice(tokens), {"n": len(tokens)})
            elif tokens:
                await runs.publish_event(EVENT_NAME, "", {"n": len(tokens)})

    def _unattended(self, runs: RunService, *, everywhere: bool) -> list[str]:
        """Return the runs that wait for somebody: in memory by what they know, outside of it by the note.

        ``everywhere``: also those that wait for a time, and may be paused besides.
        """
        assert self._store
        live = [
            run.id
            for run in runs._conductor.runs.values()
            if run.state.status is RunStatus.PAUSED
            or run.state.planner.at_breakpoints()
            or any(wait.signal == "approval" for wait in run.state.planner.waits.values())
        ]
        noted = "SELECT id FROM parked" + ("" if everywhere else " WHERE due IS NULL")
        return live + [name for (name,) in self._store.reads.query(noted)]

    async def _attend(self, runs: RunService, name: str) -> None:
        details = await runs.details(name)
        if details.run.status is RunStatus.PAUSED:
            await runs.resume(name, OWNER)
        if details.at_breakpoints:
            await runs.debug(name, lambda run: run.let_pass(None, OWNER, step=False))
        for node in details.nodes:
            if node.status is NodeStatus.WAITING and node.waiting and node.waiting.signal == "approval":
                ending = self._sim.rng.choice([Ending.APPROVED, Ending.REJECTED])
                answer = SignedAnswer(Answer(ending, OWNER), "m", "0x1", OWNER, True, "{}")
                await runs.answer(name, node.node_id, answer)


class _NoFiles:
    """No step here touches a file."""


async def _all(tasks: list[asyncio.Task[None]]) -> None:
    await asyncio.gather(*tasks)


def simulate(seed: int) -> Simulation:
    """Run one seed; return the finished simulation, for what it counted."""
    simulation = Simulation(seed)
    simulation.run()
    return simulation
