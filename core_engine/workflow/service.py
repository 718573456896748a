"""`Runs` for the rest of the engine: starts, steers, shows and recovers runs."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Awaitable, Callable, Container, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from msgspec.structs import replace

from core_engine.kernel.context import Files
from core_engine.kernel.family import CalledWorkflow
from core_engine.kernel.ports import (
    AlarmListener,
    Debuggable,
    EndListener,
    Frame,
    Pace,
    RaisedAlarm,
    Registry,
    Sink,
    StartRun,
    at_once,
)
from core_engine.kernel.suspension import APPROVAL, SignedAnswer
from core_engine.settings import Limits
from core_engine.storage import EngineStore
from core_engine.workflow.acceptance import accept
from core_engine.workflow.aftermath import Aftermath
from core_engine.workflow.aids import check_aids
from core_engine.workflow.archive import Archive
from core_engine.workflow.conductor import Conductor, Witness
from core_engine.workflow.delivery import Delivery, Subscription
from core_engine.workflow.environment import Environment, Executor, no_presets, no_texts
from core_engine.workflow.events import Events
from core_engine.workflow.executor import InProcess
from core_engine.workflow.expressions import NoVariables, Variables
from core_engine.workflow.family import Family
from core_engine.workflow.inputs import filled
from core_engine.workflow.journal import Payloads
from core_engine.workflow.library import Library, Prepared
from core_engine.workflow.parking import PARK_AFTER, Parking
from core_engine.workflow.parse import check_workflow
from core_engine.workflow.past import PastRuns
from core_engine.workflow.projection import Projection, status_frame
from core_engine.workflow.readiness import unready_nodes
from core_engine.workflow.reading import RunReading
from core_engine.workflow.recovery import recover_runs
from core_engine.workflow.run import LiveRun
from core_engine.workflow.slots import KeyedSlots, Slots
from core_engine.workflow.state import RunState
from core_engine.workflow.threads import StepThreads
from shared.clock import Clock, iso
from shared.contract.run import RunDetails, RunStatus
from shared.contract.workflow import WorkflowProblem
from shared.errors import ErrorCode, FloworkError
from shared.ids import is_job_id

_RUNNING = RunStatus.RUNNING.value  # on Python 3.11 each reading of it is two calls
_LAST_SYNC = 10.0
_LAST_WORDS = 2.0
_PORTION = 64


class RunService(RunReading):
    """The engine's `Runs`. Make it on the event loop's thread, then call `recover` once before the first start.

    ``on_fatal`` is called once when the disk failed for good: the process should end with exit code 70.
    """

    def __init__(  # noqa: PLR0913 - what it is wired with
        self,
        store: EngineStore,
        registry: Registry,
        files: Files,
        limits: Limits,
        *,
        clock: Clock,
        rng: random.Random,
        on_fatal: Callable[[FloworkError], None],
        variables: Variables | None = None,
        secrets: Callable[[], Sequence[str]] = tuple,
        presets: Callable[[str], CalledWorkflow] | None = None,
        write_text: Callable[[str, dict[str, Any]], Awaitable[str]] = no_texts,
        park_after: float = PARK_AFTER,
        executor: Executor | None = None,
        threads: StepThreads | None = None,
    ) -> None:
        self._registry = registry
        self._limits = limits
        self._clock = clock
        self._library = Library(registry)
        archive = Archive(store, self._library)
        super().__init__(store, archive, PastRuns(store, archive, self._library), secrets)
        self._alarm_listeners: list[AlarmListener] = []
        self._delivery = Delivery()
        self._aftermath = Aftermath(store)
        self._conductor = conductor = Conductor(store, self._delivery, clock, self._aftermath, on_fatal)
        self._family = Family(store, self._library, self._archive, conductor, self._delivery)
        self._family.settle_in(partial(self._new_run, start_node=None), limits.max_open_runs)
        conductor.on_retire = self._family.retired
        self._parking = Parking(store, archive, conductor, after=park_after)
        self._events = Events(store, self._parking.fetch)
        self._closing = False
        self._quiet = asyncio.Event()
        self._env = Environment(
            loop=asyncio.get_running_loop(),
            thread_id=threading.get_ident(),
            clock=clock,
            rng=rng,
            files=files,
            variables=variables or NoVariables(),
            threads=threads or StepThreads(limits.max_parallel_steps),
            slots=Slots(limits.max_parallel_steps, conductor.wake, self._quiet.set),
            keys=KeyedSlots(conductor.wake),
            parallel_per_run=limits.max_parallel_steps_per_run,
            epoch=store.epoch,
            wake=conductor.wake,
            touch=conductor.touch,
            secrets=secrets,
            wants_end=self._aftermath.wanted,
            alarm=self._alarm,
            family=self._family,
            executor=executor or InProcess(),
            presets=presets or no_presets,
            write_text=write_text,
        )
        self._parking.settle_in(self._env)

    async def start(self, request: StartRun, sink: Sink | None = None) -> Frame:
        """Journal a new run and set it going; see `Runs.start`."""
        if self._closing:
            raise FloworkError(ErrorCode.ENGINE_UNAVAILABLE, "The engine is shutting down.")
        if not is_job_id(request.run_id):
            raise FloworkError(ErrorCode.INVALID_REQUEST, "The job id has an unusable form.")
        prepared = await self._library.prepared(request.workflow_data, request.workflow_json)
        run_id = request.run_id
        if run_id in self._conductor.runs or self._parking.holds(run_id):
            return await self._again(request, prepared, sink)
        start_node = prepared.start_index(request.start_node_id)
        check_aids(request.options, prepared.graph)
        payload = filled(prepared.graph.inputs, request.initial_payload)
        if payload is not request.initial_payload:
            request = replace(request, initial_payload=payload)
        if self._family.roots >= self._limits.max_open_runs:
            message = f"The engine has {self._family.roots} unfinished runs; wait until some have ended."
            raise FloworkError(ErrorCode.RATE_LIMITED, message, retry_after=1.0)
        run = self._new_run(request, prepared, start_node)
        if sink:
            self._delivery.follow(run_id, sink, 1, live=True)
        if not await run.is_accepted():
            return await self._again(request, prepared, sink)
        accepted = run.state.accepted
        return status_frame(run_id, accepted.seq, _RUNNING, iso(accepted.at))

    def validate(self, workflow_data: dict[str, Any]) -> list[WorkflowProblem]:
        """Return every problem of a workflow."""
        return check_workflow(workflow_data, self._registry)

    def unready(self, workflow_data: dict[str, Any]) -> list[WorkflowProblem]:
        """Return which nodes cannot run on this machine as things are; what other machines carry out is theirs."""
        return unready_nodes(workflow_data, self._registry, alone=isinstance(self._env.executor, InProcess))

    async def stop(self, run_id: str, by: str) -> Frame:
        """Stop a run and return its final status; one that has ended already answers with how it ended."""
        run = await self._parking.fetch(run_id)
        if run:
            run.stop(by)
            await run.stored()
        else:
            self._refuse_open(self._row(run_id))
        return self._status(run_id)

    async def pause(self, run_id: str, by: str) -> Frame:
        """Pause a run; pausing a paused one changes nothing. CONFLICT when it has ended."""
        run = await self._open_run(run_id)
        run.pause(by)
        await run.stored()
        return self._status(run_id)

    async def resume(self, run_id: str, by: str) -> Frame:
        """Let a paused run go on. CONFLICT when it is not paused."""
        run = await self._open_run(run_id)
        if run.state.status is not RunStatus.PAUSED:
            raise FloworkError(ErrorCode.CONFLICT, f"Run {run_id} is not paused.")
        run.resume(by)
        await run.stored()
        return self._status(run_id)

    async def answer(self, run_id: str, node_id: str, signed: SignedAnswer) -> RunDetails:
        """Give a node the answer it waits for; see `Runs.answer`."""
        run = await self._open_run(run_id)
        run.answer(node_id, APPROVAL, signed)
        await run.stored()
        return await self.details(run_id)

    async def publish_event(self, name: str, correlation: str, data: Any) -> int:
        """End the waits for an event; see `Runs.publish_event`."""
        return await self._events.publish(name, correlation, data)

    async def resume_wait(self, token: str, data: Any) -> str:
        """End the wait for an event that has the token; see `Runs.resume_wait`."""
        return await self._events.resume(token, data)

    async def debug(self, run_id: str, change: Callable[[Debuggable], None]) -> RunDetails:
        """Change where an unfinished run stops; see `Runs.debug`."""
        run = await self._open_run(run_id)
        change(run)
        await run.stored()
        return await self.details(run_id)

    async def subscribe(
        self,
        run_id: str,
        sink: Sink,
        after_seq: int,
        pace: Pace = at_once,
        *,
        include_children: bool = False,
    ) -> Callable[[], None]:
        """Deliver a run's events after ``after_seq``: past ones first, then live ones without gap or repeat.

        Returns the unsubscribe. On return the past events have been delivered.
        """
        self._row(run_id)
        subscription = self._delivery.follow(run_id, sink, after_seq + 1, live=False)
        subscription.children = include_children
        try:
            await self._catch_up(run_id, subscription, pace)
        except BaseException:
            self._delivery.drop(subscription)
            raise
        for child in self._family.children_of(run_id) if include_children else ():
            if not self._delivery.follows(child, sink):
                await self.subscribe(child, sink, 0, include_children=True)
        return partial(self._delivery.drop, subscription)

    def follows(self, run_id: str, sink: Sink) -> bool:
        """Tell whether a sink is given the events of a run."""
        return self._delivery.follows(run_id, sink)

    def unsubscribe(self, sink: Sink) -> None:
        """Take a sink out of every run."""
        self._delivery.drop_sink(sink)

    @property
    def busy(self) -> bool:
        """Whether any step runs or is about to."""
        return self._env.slots.used > 0 or self._conductor.busy

    @property
    def open_runs(self) -> int:
        """How many runs have not ended."""
        return len(self._conductor.runs) + self._parking.count

    def on_end(self, listener: EndListener) -> None:
        """Tell the listener of every end it wants; to be called before `recover`."""
        self._aftermath.add(listener)

    @property
    def parked_runs(self) -> int:
        """How many of the open runs only wait, outside of memory."""
        return self._parking.count

    @property
    def queues(self) -> dict[str, int]:
        """What waits: ``steps`` for a free slot (runs in line), ``journal`` for the disk (writes)."""
        return {"steps": self._env.slots.waiting, "journal": self._conductor.unwritten}

    @property
    def running_steps(self) -> int:
        """How many steps run now."""
        return self._env.slots.used

    def on_records(self, witness: Witness) -> None:
        """Tell the witness of everything the journal has taken, from now on; it must be quick."""
        self._conductor.witnesses.append(witness)

    def on_alarm(self, listener: AlarmListener) -> None:
        """Tell the listener of every alarm; to be called before `recover`."""
        self._alarm_listeners.append(listener)

    async def recover(self) -> int:
        """Go on with every unfinished run of the journal; return how many there are, those that only wait included."""
        await self._env.executor.open()
        self._family.recovering()
        count = await recover_runs(self._store, self._archive, self._conductor, self._env, self._family)
        self._family.recovered()
        await self._aftermath.start()
        self._parking.start()
        return count + self._parking.count

    async def take_over(self, numbers: Container[int]) -> int:
        """Go on with runs that another process of this engine left; return how many have not ended.

        Raises ENGINE_UNAVAILABLE while the database cannot be reached: to be called again then.
        """
        if self._closing:
            return 0
        self._family.recovering()
        try:
            count = await recover_runs(
                self._store, self._archive, self._conductor, self._env, self._family, only=numbers
            )
        finally:
            self._family.recovered()
        await self._parking.look_again()
        await self._aftermath.take_over(numbers)  # last: what it has told must not be told again
        return count

    async def close(self, grace_seconds: float) -> None:
        """Start nothing new, give running steps the grace, interrupt the rest, and wait for the journal."""
        self._closing = True
        self._env.executor.leave()
        self._parking.close()
        runs = list(self._conductor.runs.values())
        for run in runs:
            run.hold()
        await self._family.close()
        self._quiet.clear()
        if self._env.slots.used:
            with suppress(TimeoutError):
                async with asyncio.timeout(grace_seconds):
                    await self._quiet.wait()
        tasks = [attempt.task for run in runs for attempt in run.attempts.values() if attempt.task]
        for run in runs:
            run.interrupt()
        if tasks:
            await asyncio.wait(tasks, timeout=_LAST_WORDS)
        waits = [run.stored() for run in self._conductor.runs.values() if not run.drained]
        if waits:
            with suppress(TimeoutError):
                async with asyncio.timeout(_LAST_SYNC):
                    await asyncio.gather(*waits, return_exceptions=True)
        self._conductor.close()
        await self._aftermath.close()
        self._env.threads.close()
        await self._env.executor.close()

    def _alarm(self, alarm: RaisedAlarm) -> None:
        for listener in self._alarm_listeners:
            listener(alarm)

    def _new_run(self, request: StartRun, prepared: Prepared, start_node: int | None) -> LiveRun:
        number = self._store.new_run_number()
        payloads = Payloads(number, self._store.blobs.read)
        at, epoch = self._clock.now_ms(), self._env.epoch
        accepted = accept(request, prepared.graph, payloads, start_node=start_node, at=at, epoch=epoch)
        state = RunState(prepared.graph, accepted, payloads, prepared.ahead(request.mode))
        run = LiveRun(number, state, self._env)
        self._conductor.add(run)
        run.accept(prepared.body)
        if request.seeds:
            run.seed(request.seeds)
        self._conductor.wake(run)
        return run

    async def _again(self, request: StartRun, prepared: Prepared, sink: Sink | None) -> Frame:
        """Answer a start of a run that exists already."""
        run = await self._parking.fetch(request.run_id)
        if run:
            await run.is_accepted()
        row = self._row(request.run_id)
        if row.started_by != request.started_by or row.workflow != prepared.graph.hash:
            message = f"A run {request.run_id} exists already, with another starter or workflow."
            raise FloworkError(ErrorCode.CONFLICT, message)
        if sink and run and not self._delivery.follows(run.id, sink) and run.id in self._conductor.runs:
            self._delivery.follow(run.id, sink, run.synced_seq + 1, live=True)
        return self._status(request.run_id)

    async def _open_run(self, run_id: str) -> LiveRun:
        run = await self._parking.fetch(run_id)
        if run and not run.finished:
            return run
        if run is None:
            self._refuse_open(self._row(run_id))
        raise FloworkError(ErrorCode.CONFLICT, f"Run {run_id} has ended.")

    async def _catch_up(self, run_id: str, subscription: Subscription, pace: Pace) -> None:
        while not subscription.closed:
            run = await asyncio.to_thread(self._archive.load, run_id)
            projection = Projection(run_id, run.prepared.graph, run.row.started_at)
            for start in range(0, len(run.records), _PORTION):
                self._delivery.give(subscription, projection.frames(run.records[start : start + _PORTION]))
                await pace()
            if self._delivery.go_live(subscription):
                break
        if run_id not in self._conductor.runs and not self._parking.holds(run_id):
            self._delivery.drop(subscription)
