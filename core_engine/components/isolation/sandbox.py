"""Runs tasks of foreign code in locked children: limits, spare children kept warm, a way out, plain errors."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

from core_engine.components.isolation import frames, proxy, rungs
from core_engine.components.isolation.egress import Egress, open_door
from core_engine.components.isolation.process import ChildProcess, OnLog
from core_engine.components.isolation.rungs import CODE_OF_OTHERS, Openings, Rung, Task
from core_engine.components.isolation.spares import Key, Spares, key_of
from core_engine.components.isolation.tasks.program import GRACE_SECONDS
from core_engine.components.isolation.watch import Watch
from core_engine.components.network import NetworkPolicy
from core_engine.kernel.context import LogLevel
from shared.errors import ErrorCode, FloworkError

_WAIT_SECONDS = 300.0
_MOST_REFILLS = 8
_STOP_SECONDS = 0.5
_KILL_SECONDS = 5.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one task may use: wall-clock seconds and memory in MiB."""

    seconds: float
    memory_mb: int


@dataclass(frozen=True, slots=True)
class Job:
    """One call; ``stop`` is set when nobody waits for it any more."""

    task: Task
    request: bytes
    bounds: Bounds
    openings: Openings
    stop: asyncio.Event


class Sandbox:
    """A bounded number of locked children. `close` ends them all.

    ``most`` are the bounds no request may exceed; ``rung`` is found out at the first use when not given. ``network``
    judges the addresses of the hosts that are opened to a child. Without ``warm`` no spare children are started: for
    one that makes few calls.
    """

    def __init__(
        self,
        *,
        most: Bounds,
        max_children: int = 4,
        rung: Rung | None = None,
        network: NetworkPolicy = NetworkPolicy(),  # noqa: B008 - it never changes
        warm: bool = True,
    ) -> None:
        self.most = most
        self._network = network
        self._keep_warm = warm
        self._rung = rung
        self._slots = asyncio.Semaphore(max_children)
        self._finding = asyncio.Lock()
        self._spares = Spares()
        self._refills: dict[Key, asyncio.Task[None]] = {}
        self._left: set[asyncio.Task[Any]] = set()
        self._closed = False

    async def rung(self, task: Task = Task.FUNCTION) -> Rung:
        """Return the rung in force; raises FloworkError SANDBOX_UNAVAILABLE where it is too weak for the task."""
        async with self._finding:
            if self._rung is None:
                self._rung = await asyncio.to_thread(rungs.detect)
        if not rungs.suffices(self._rung, task):
            lacking = "no working bubblewrap" if task is Task.PROGRAM else "neither bubblewrap nor Landlock"
            what = "programs are" if task is Task.PROGRAM else "code of others is"
            raise FloworkError(
                ErrorCode.SANDBOX_UNAVAILABLE,
                f"This machine offers {lacking}, so {what} not run here; `flowork doctor` tells more.",
            )
        return self._rung

    async def call(
        self,
        task: Task,
        request: dict[str, Any],
        bounds: Bounds,
        on_log: OnLog,
        openings: Openings = Openings(),  # noqa: B008 - it is frozen
    ) -> Any:
        """Do a task in a fresh child, to which folders and hosts are opened, and return its value.

        The log's first line names the rung in force, for tasks that run code of others. Raises FloworkError:
        TOO_LARGE for the request, SANDBOX_UNAVAILABLE, RATE_LIMITED when no child came free in time,
        COMPONENT_FAILED for everything the foreign code did wrong (``details.reason``).
        """
        used = Bounds(min(bounds.seconds, self.most.seconds), min(bounds.memory_mb, self.most.memory_mb))
        data = _encode(request, used)
        try:
            async with asyncio.timeout(_WAIT_SECONDS):
                await self._slots.acquire()
        except TimeoutError:
            raise FloworkError(
                ErrorCode.RATE_LIMITED, "Too many isolated steps at once.", retry_after=5
            ) from None
        stop = asyncio.Event()
        serving = self._serve(Job(task, data, used, openings, stop), on_log)
        return await (self._leave(serving, stop) if task is Task.PROGRAM else serving)

    async def close(self) -> None:
        """End all children; further calls are refused."""
        self._closed = True
        for left in self._left:
            left.cancel()
        await asyncio.gather(*self._left, return_exceptions=True)
        await asyncio.gather(*self._refills.values())
        await self._spares.close()

    async def _leave(self, serving: Coroutine[Any, Any, Any], stop: asyncio.Event) -> Any:
        """Await a program; when the step is stopped it may end by itself for a moment, then it is killed.

        Another attempt may follow at once, so nothing of this one is left running behind it.
        """
        task = asyncio.create_task(serving, name="an isolated program")
        self._left.add(task)
        task.add_done_callback(self._forget)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            stop.set()
            await asyncio.wait([task], timeout=_STOP_SECONDS)
            task.cancel()
            await asyncio.wait([task], timeout=_KILL_SECONDS)
            raise

    def _forget(self, task: asyncio.Task[Any]) -> None:
        self._left.discard(task)
        if not task.cancelled():
            task.exception()  # where the step was stopped nobody else asks for it

    async def _serve(self, job: Job, on_log: OnLog) -> Any:
        def log(message: str, level: LogLevel) -> None:
            if not job.stop.is_set():
                on_log(message, level)

        try:
            if job.task in CODE_OF_OTHERS:
                log(f"Isolation: {await self.rung(job.task)}.", "DEBUG")
            return await self._run(job, log)
        finally:
            self._slots.release()
            self._refill(job.task, job.openings)

    async def _run(self, job: Job, on_log: OnLog) -> Any:
        bounds, data = job.bounds, job.request
        child = await self._take(job.task, job.openings)
        program = job.task is Task.PROGRAM
        watched_mb = bounds.memory_mb + (proxy.MEMORY_MB if child.door else 0)
        watch = Watch(child, watched_mb, bounds.seconds, job.stop) if program else None
        way_out = self._open_way_out(child, job.openings, on_log)
        try:
            async with asyncio.timeout(None if watch else bounds.seconds):
                answer = await (watch.ask(data, on_log) if watch else child.ask(data, on_log))
        except TimeoutError:
            raise _late(bounds) from None
        finally:
            await _close_way_out(way_out)
            await child.end()
        if watch and watch.overgrown:
            raise _failure("memory", f"its processes used more than {bounds.memory_mb} MiB together")
        if watch and watch.late:
            raise _late(bounds, answer)
        return _value(answer, child, bounds)

    async def _take(self, task: Task, openings: Openings) -> ChildProcess:
        if self._closed:
            raise FloworkError(ErrorCode.ENGINE_UNAVAILABLE, "The engine is shutting down.")
        # what is opened is part of the walls, so only a child that was started for just this will do
        return self._spares.take(key_of(task, openings)) or await self._start(task, openings)

    async def _start(self, task: Task, openings: Openings) -> ChildProcess:
        rung = await self.rung(task)
        if not openings.hosts:
            return await ChildProcess.start(rungs.command(rung, task, openings))
        door = open_door()
        return await ChildProcess.start(rungs.command(rung, task, openings, door[1].fileno()), door)

    def _open_way_out(
        self, child: ChildProcess, openings: Openings, on_log: OnLog
    ) -> asyncio.Task[None] | None:
        if child.door is None:
            return None
        egress = Egress(self._network, openings.hosts, on_log)
        return asyncio.create_task(egress.serve(child.door), name="egress of an isolated child")

    def _refill(self, task: Task, openings: Openings) -> None:
        key = key_of(task, openings)
        if self._closed or not self._keep_warm or self._rung is None or not rungs.suffices(self._rung, task):
            return
        if key in self._spares or key in self._refills or len(self._refills) >= _MOST_REFILLS:
            return
        refill = asyncio.create_task(self._warm(key, task, openings), name=f"spare-{task.value}")
        self._refills[key] = refill
        refill.add_done_callback(lambda _: self._refills.pop(key))

    async def _warm(self, key: Key, task: Task, openings: Openings) -> None:
        try:
            child = await self._start(task, openings)
        except FloworkError as error:
            _log.warning("no spare child: %s", error.message)
            return
        if self._closed:
            await child.end()
        else:
            self._spares.keep(key, child, special=bool(openings))


def _value(answer: dict[str, Any] | None, child: ChildProcess, bounds: Bounds) -> Any:
    if answer is None:
        raise _failure("ended", _obituary(child.exit_code()))
    if answer.get("kind") == "result":
        return answer.get("value")
    reason, message = str(answer.get("reason")), str(answer.get("message"))
    raise _failure(reason, f"{message} ({bounds.memory_mb} MiB)" if reason == "memory" else message)


def _late(bounds: Bounds, answer: dict[str, Any] | None = None) -> FloworkError:
    """Return the failure of what took too long, with what a program had printed."""
    error = _failure("time", f"it ran longer than {bounds.seconds:g} s and was ended")
    value = (answer or {}).get("value")
    if error.details is not None and isinstance(value, dict):
        error.details.update(value)
    return error


async def _close_way_out(way_out: asyncio.Task[None] | None) -> None:
    if way_out is not None:
        way_out.cancel()
        await asyncio.wait([way_out])
        if not way_out.cancelled() and (error := way_out.exception()):
            _log.error("the way out of an isolated child broke", exc_info=error)


def _encode(request: dict[str, Any], bounds: Bounds) -> bytes:
    limits = {"seconds": bounds.seconds + GRACE_SECONDS, "memory_bytes": bounds.memory_mb * 1024 * 1024}
    try:
        data = frames.encode({**request, **limits})
    except (TypeError, ValueError, RecursionError) as error:
        raise _failure("not_json", f"its input is not JSON: {error}") from error
    if len(data) > frames.MAX_REQUEST_BYTES:
        limit = frames.MAX_REQUEST_BYTES // (1024 * 1024)
        raise FloworkError(
            ErrorCode.TOO_LARGE,
            f"This step's input has {len(data)} bytes; an isolated step takes at most {limit} MiB.",
        )
    return data


def _obituary(code: int | None) -> str:
    if code is not None and (code < 0 or code > 128):
        return f"it was ended by signal {-code if code < 0 else code - 128}"
    return "it ended without a result"


def _failure(reason: str, message: str) -> FloworkError:
    return FloworkError(
        ErrorCode.COMPONENT_FAILED, f"The code failed: {message}.", details={"reason": reason}
    )
