"""Carries one step out in a worker: claims it, watches over its process, and writes what came of it."""

from __future__ import annotations

import asyncio
import logging
import os
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from contextvars import copy_context

from core_engine.components.files import RootedFiles
from core_engine.components.registry import ComponentRegistry
from core_engine.storage.claims_work import Claimed, ClaimedWork
from core_engine.workers.lease import Lease
from core_engine.workers.notes import Became, Note, NotePad
from core_engine.workers.step_process import ENDED, HEADER, LARGEST, StepProcess
from core_engine.workers.tickets import Seals, Ticket
from core_engine.workers.wire import CRASHED, encode_told, speaks, went_well
from shared import logs
from shared.clock import Clock
from shared.errors import FloworkError

_MOST_UNTOLD = 1000
_TOGETHER = 200
_TELL_EVERY = 0.1
_TRY_AGAIN = 0.3
_LOG = logging.getLogger(__name__)


class Carrier:
    """Takes the steps of tickets, one after the other, in a process of Celery's pool."""

    def __init__(  # noqa: PLR0913 - what it is wired with
        self,
        work: ClaimedWork,
        seals: Seals,
        registry: ComponentRegistry,
        files: RootedFiles,
        clock: Clock,
        *,
        pad: NotePad,
    ) -> None:
        self._work = work
        self._seals = seals
        self._registry = registry
        self._files = files
        self._clock = clock
        self._pad = pad
        self._runner: asyncio.Runner | None = None

    def carry_out(self, text: object) -> str:
        """Carry out the step that a ticket names, if it is still to be had; return what became of it.

        A ticket is a hint: any number of them, in any order, gives one execution.
        """
        now = self._clock.now_ms()
        ticket = self._seals.read(text, now / 1000)
        if ticket is None:
            _LOG.warning("a message is no ticket of this engine, or too old; it is dropped")
            self._pad.write(Note(os.getpid(), now, "dropped"))
            return "dropped"
        with logs.of_run(ticket.run):
            became, seconds = self._carry(ticket)
        now, pid = self._clock.now_ms(), os.getpid()
        told = (ticket.run, ticket.node, ticket.attempt, ticket.trace)
        self._pad.write(Note(pid, now, became, 0.0, seconds, *told))
        return became

    def _carry(self, ticket: Ticket) -> tuple[Became, float]:
        """Return what became of a step, and for how many seconds it was held."""
        if self._runner is None:  # made after Celery has forked: loops and connections are no one's to share
            self._runner = asyncio.Runner()
        process = StepProcess.fork(self._registry, self._files)
        try:
            became, seconds = self._runner.run(self._claim(ticket, process), context=copy_context())
        except FloworkError as error:  # the database is away: the engine sends the ticket again
            _LOG.warning("the database does not answer", extra={"reason": error.message})
            became, seconds = "error", 0.0
        finally:
            process.end()
        facts = {"run": ticket.run, "node": ticket.node, "attempt": ticket.attempt}
        _LOG.info("step %s", became.replace("_", " "), extra=facts)
        return became, seconds

    async def _claim(self, ticket: Ticket, process: StepProcess) -> tuple[Became, float]:
        since = self._clock.monotonic()
        claimed = await self._work.claim(ticket.claim)
        if claimed is None:
            return await self._refused(ticket), 0.0
        self._pad.write(Note(os.getpid(), self._clock.now_ms(), waited=claimed.waited))
        request = self._seals.open(claimed.request, claimed.id, "request")
        lease = Lease(self._work, claimed, self._clock, since)
        became = await _Watch(self._work, self._seals, claimed, lease).over(process, request)
        return became, self._clock.monotonic() - since

    async def _refused(self, ticket: Ticket) -> Became:
        engine = await self._work.leave(ticket.claim)
        if engine is None:
            return "refused"
        _LOG.error("this worker is %s, its engine %s: it must be the same version", speaks(), engine)
        return "left_alone"


class _Watch:
    """The watch over one step's process."""

    def __init__(self, work: ClaimedWork, seals: Seals, claimed: Claimed, lease: Lease) -> None:
        self._work = work
        self._seals = seals
        self._claimed = claimed
        self._lease = lease
        self._untold: deque[bytes] = deque()
        self._changed = asyncio.Event()
        self._all_told = asyncio.Event()
        self._number = 1
        self._in_hand: bytes | None = None

    async def over(self, process: StepProcess, request: bytes) -> Became:
        """Let the process work until it ends, or the lease does; return what became of the step."""
        reader, writer = await asyncio.open_connection(sock=process.line)
        return await self.watch(process.end, reader, writer, request)

    async def watch(
        self,
        end: Callable[[], None],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        request: bytes,
    ) -> Became:
        """Do that over the line to the process; ``end`` kills it."""
        tasks = [
            asyncio.create_task(self._read(reader), name="step's words"),
            asyncio.create_task(self._lease.keep(), name="step's lease"),
            asyncio.create_task(self._pass_on(), name="step's news"),
            asyncio.create_task(_hand_over(writer, request), name="step's request"),
        ]
        reading, keeping = tasks[:2]
        try:
            while not (reading.done() or keeping.done()) and (left := self._lease.left):
                await asyncio.wait({reading, keeping}, timeout=left, return_when=asyncio.FIRST_COMPLETED)
        finally:
            end()
            writer.close()
            for task in tasks:
                task.cancel()
            found = await asyncio.gather(*tasks, return_exceptions=True)
        if keeping.done() and not keeping.cancelled():
            return await self._taken_away()
        body = found[0]
        if isinstance(body, asyncio.CancelledError):
            return "out_of_reach"
        return await self._write(body if isinstance(body, bytes) else None)

    async def _taken_away(self) -> Became:
        try:
            return "lease_lost" if await self._work.fell_silent(self._claimed) else "withdrawn"
        except FloworkError:
            return "withdrawn"

    async def _write(self, result: bytes | None) -> Became:
        """Write what the step told last and how it ended, as long as the lease allows."""
        while self._lease.left_to_write:
            try:
                if not await self._tell_all():
                    return "refused_late"
                if result is None:
                    done = await self._work.give_up(self._claimed, CRASHED)
                else:
                    sealed = self._seals.seal(result, self._claimed.id, "result")
                    done = await self._work.finish(self._claimed, sealed)
            except FloworkError:
                await asyncio.sleep(_TRY_AGAIN)
            else:
                return _ended(result) if done else "refused_late"
        return "out_of_reach"

    async def _read(self, reader: asyncio.StreamReader) -> bytes | None:
        """Return the step's result; None when its process ended without one."""
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                kind, size = HEADER.unpack(await reader.readexactly(HEADER.size))
                if size > LARGEST:
                    return None
                body = await reader.readexactly(size)
                if kind == ENDED:
                    return body
                self._untold.append(body)
                self._changed.set()
                if len(self._untold) >= _MOST_UNTOLD:  # the step waits until the database has taken them
                    self._all_told.clear()
                    await self._all_told.wait()
        return None

    async def _pass_on(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            await asyncio.sleep(_TELL_EVERY)
            try:
                await self._tell_all()
            except FloworkError:
                self._changed.set()

    async def _tell_all(self) -> bool:
        """Write everything untold, in order; False when the lease is lost. Can be cut off and called again."""
        while self._in_hand or self._untold:
            if self._in_hand is None:
                count = min(_TOGETHER, len(self._untold))
                told = encode_told([self._untold.popleft() for _ in range(count)])
                self._in_hand = self._seals.seal(told, self._claimed.id, "event")
            if not await self._work.tell(self._claimed, self._number, self._in_hand):
                return False
            self._in_hand = None
            self._number += 1
        self._all_told.set()
        return True


def _ended(result: bytes | None) -> Became:
    if result is None:
        return "crashed"
    return "done" if went_well(result) else "failed"


async def _hand_over(writer: asyncio.StreamWriter, request: bytes) -> None:
    with suppress(ConnectionError):
        writer.write(HEADER.pack(0, len(request)) + request)
        await writer.drain()
