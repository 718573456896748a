"""Runs tasks of foreign code in locked children: limits, one spare child per task kept warm, plain errors."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import Any

from core_engine.components.isolation import frames, rungs
from core_engine.components.isolation.process import ChildProcess, OnLog
from core_engine.components.isolation.rungs import CODE_OF_OTHERS, Folders, Rung, Task
from core_engine.components.isolation.watch import Watch
from shared.errors import ErrorCode, FloworkError

_WAIT_SECONDS = 300.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one task may use: wall-clock seconds and memory in MiB."""

    seconds: float
    memory_mb: int


class Sandbox:
    """A bounded number of locked children. `close` ends them all.

    ``most`` are the bounds no request may exceed; ``rung`` is found out at the first use when not given.
    """

    def __init__(self, *, most: Bounds, max_children: int = 4, rung: Rung | None = None) -> None:
        self.most = most
        self._rung = rung
        self._slots = asyncio.Semaphore(max_children)
        self._finding = asyncio.Lock()
        self._spares: dict[Task, ChildProcess] = {}
        self._refills: set[asyncio.Task[None]] = set()
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
        folders: Folders = Folders(),  # noqa: B008 - it is frozen
    ) -> Any:
        """Do a task in a fresh child, to which ``folders`` are opened, and return its value.

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
        try:
            if task in CODE_OF_OTHERS:
                on_log(f"Isolation: {await self.rung(task)}.", "DEBUG")
            return await self._serve(task, data, used, on_log, folders)
        finally:
            self._slots.release()
            if not folders:
                self._refill(task)

    async def close(self) -> None:
        """End all children; further calls are refused."""
        self._closed = True
        await asyncio.gather(*self._refills)
        for task in tuple(self._spares):
            await self._spares.pop(task).end()

    async def _serve(self, task: Task, data: bytes, bounds: Bounds, on_log: OnLog, folders: Folders) -> Any:
        child = await self._take(task, folders)
        watch = Watch(child, bounds.memory_mb) if task is Task.PROGRAM else None
        try:
            async with asyncio.timeout(bounds.seconds):
                answer = await (watch.ask(data, on_log) if watch else child.ask(data, on_log))
        except TimeoutError:
            raise _failure("time", f"it ran longer than {bounds.seconds:g} s and was ended") from None
        finally:
            await child.end()
        if watch and watch.overgrown:
            raise _failure("memory", f"its processes used more than {bounds.memory_mb} MiB together")
        if answer is None:
            raise _failure("ended", _obituary(child.exit_code()))
        if answer.get("kind") == "result":
            return answer.get("value")
        reason, message = str(answer.get("reason")), str(answer.get("message"))
        raise _failure(reason, f"{message} ({bounds.memory_mb} MiB)" if reason == "memory" else message)

    async def _take(self, task: Task, folders: Folders) -> ChildProcess:
        if self._closed:
            raise FloworkError(ErrorCode.ENGINE_UNAVAILABLE, "The engine is shutting down.")
        if folders:  # they are part of the walls, so no child made beforehand will do
            return await ChildProcess.start(rungs.command(await self.rung(task), task, folders))
        spare = self._spares.pop(task, None)
        if spare is not None and spare.usable:
            return spare
        if spare is not None:
            await spare.end()
        return await ChildProcess.start(rungs.command(await self.rung(task), task))

    def _refill(self, task: Task) -> None:
        if self._closed or task in self._spares or self._rung is None or not rungs.suffices(self._rung, task):
            return
        refill = asyncio.create_task(self._warm(task), name=f"spare-{task.value}")
        self._refills.add(refill)
        refill.add_done_callback(self._refills.discard)

    async def _warm(self, task: Task) -> None:
        try:
            child = await ChildProcess.start(rungs.command(await self.rung(task), task))
        except FloworkError as error:
            _log.warning("no spare child: %s", error.message)
            return
        if self._closed or task in self._spares:
            await child.end()
        else:
            self._spares[task] = child


def _encode(request: dict[str, Any], bounds: Bounds) -> bytes:
    limits = {"seconds": bounds.seconds, "memory_bytes": bounds.memory_mb * 1024 * 1024}
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
