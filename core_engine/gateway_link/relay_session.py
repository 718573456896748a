"""One web page behind the gateway: what it asked, which runs it follows, and what waits to be sent to it."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from msgspec.structs import replace
from pydantic import ValidationError

from core_engine.access.share_links import Visit
from core_engine.commands import answers
from core_engine.commands.caller import Caller
from core_engine.commands.dispatch import Dispatcher
from core_engine.gateway_link.relay_frames import Question, RelayEvent, relay_events
from core_engine.gateway_link.relay_outbox import RelayOutbox
from core_engine.kernel.meters import Meter, Uncounted
from core_engine.kernel.ports import Frame, Runs
from shared.contract.base import Role
from shared.contract.relay import (
    EVENTS,
    FILES,
    MAX_BATCH,
    RelayReceipt,
)
from shared.errors import ErrorCode, FloworkError
from shared.signing.envelope import OpenedMessage

_log = logging.getLogger(__name__)

Send = Callable[[str, dict[str, Any]], Awaitable[Any]]
"""Sends an event over the link and returns its acknowledgement; raises ConnectionError where that fails."""

MAX_WAITING = 64
MAX_QUESTIONS = 512
MAX_RUNS = 256
PACE_SECONDS = 0.05
RETRY_SECONDS = 0.5
HEAD_BYTES = 1024
_CHANGES = ("save_", "update_", "delete_", "restore_")
_URGENT = frozenset({"stop_workflow", "pause_workflow", "resume_workflow"})


class RelaySession:
    """A page over all its reconnects. While it is away it is sent nothing; back again it is sent what it missed."""

    def __init__(self, label: str, dispatcher: Dispatcher, runs: Runs, meter: Meter | None = None) -> None:
        self.label = label
        self._dispatcher = dispatcher
        self._runs = runs
        self._meter = meter or Uncounted()
        self._outbox = RelayOutbox()
        self._questions: OrderedDict[str, Question] = OrderedDict()
        self._changes: set[str] = set()
        self._waiting: deque[tuple[str, OpenedMessage, Visit | None]] = deque()
        self._followed: OrderedDict[str, int] = OrderedDict()
        self._count = 0
        self._opened = 0
        self._writer: asyncio.Task[None] | None = None
        self._ending: set[asyncio.Task[None]] = set()
        self.caller = Caller(self._deliver)
        self.max_bytes = 0
        """The longest frame that the gateway accepts."""

    @property
    def _most(self) -> int:
        return self.max_bytes - HEAD_BYTES

    @property
    def away(self) -> bool:
        """Whether nothing can be sent to the page at the moment."""
        return self._writer is None or self._writer.done()

    def open(self, send: Send, max_bytes: int) -> None:
        """Begin to send to the page, first what it missed of the runs it follows; an open one stays as it is."""
        self.max_bytes = max_bytes
        self._opened += 1
        if self.away:
            self.caller.gone = False
            self._writer = asyncio.create_task(self._write(send), name=f"relay page {self.label[:8]}")

    def follow_again(
        self, address: str, runs: Mapping[str, int], *, role: Role | None = None, visit: Visit | None = None
    ) -> None:
        """Take up the runs that the page was shown by an earlier process; to be called before `open`."""
        link = visit.grant if visit else None
        if self.caller.standing.admit(address, None, role=role, link=link):
            self._followed.update(runs)

    def take(self, event: str, opened: OpenedMessage, visit: Visit | None = None) -> None:
        """Carry out a command of a verified sender; what changes something is over before the next one begins."""
        self._count += 1
        own_id = f"relay-{self._count}"
        _, request_id = answers.ids_of(None, opened.payload.get("request_id"))
        question = Question(event, _small(opened.payload), request_id)
        self._questions[own_id] = question
        while len(self._questions) > MAX_QUESTIONS:
            self._questions.popitem(last=False)
        payload = opened.payload | {"type": _command(event, opened.payload), "request_id": own_id}
        message = replace(opened, payload=payload)
        if not self._changes or event in _URGENT:
            self._begin(own_id, message, visit)
        elif len(self._waiting) < MAX_WAITING:
            self._waiting.append((own_id, message, visit))
        else:
            self._questions.pop(own_id)
            text = f"At most {MAX_WAITING} commands may wait for one that changes something."
            self.refuse(question, FloworkError(ErrorCode.RATE_LIMITED, text, retry_after=1))

    def refuse(self, question: Question, error: FloworkError) -> None:
        """Answer a command that was not carried out."""
        ids = answers.ids_of(question.payload.get("job_id"), question.request_id)
        self._outbox.put(relay_events(answers.refusal(error, ids), question, max_bytes=self._most))

    def tell(self, error: FloworkError) -> None:
        """Send an error that answers nothing."""
        self._outbox.put(relay_events(answers.refusal(error, (None, None)), None, max_bytes=self._most))

    def leave(self) -> None:
        """Stop sending: the page is gone, perhaps to come back. Its commands and runs go on."""
        self._dispatcher.leave(self.caller)
        self._outbox.clear()
        if self._writer is not None:
            self._writer.cancel()
            self._ending.add(self._writer)
            self._writer.add_done_callback(self._ending.discard)
            self._writer = None

    async def end(self) -> None:
        """Leave, and wait for the end of what was being sent."""
        self.leave()
        await asyncio.gather(*self._ending, return_exceptions=True)

    def _begin(self, own_id: str, message: OpenedMessage, visit: Visit | None) -> None:
        question = self._questions.get(own_id)
        if question is not None and question.event.startswith(_CHANGES):
            self._changes.add(own_id)
        self._dispatcher.begin(message, self.caller, visit)

    def _deliver(self, frames: Sequence[Frame]) -> None:
        answered = False
        for frame in frames:
            own_id = frame.get("request_id")
            question = self._questions.pop(own_id, None) if own_id is not None else None
            answered = answered or question is not None
            self._changes.discard(own_id or "")
            events = relay_events(frame, question, max_bytes=self._most)
            self._note_runs(events)
            if not self.caller.gone:
                self._outbox.put(events)
        if self._outbox.lagging:
            self._runs.unsubscribe(self.caller.follows)
        while answered and self._waiting and not self._changes:
            self._begin(*self._waiting.popleft())

    def _note_runs(self, events: list[RelayEvent]) -> None:
        """Remember which runs the page follows, and that it has not had these events yet."""
        for event in events:
            if event.job_id is not None and event.job_id not in self._followed:
                self._followed[event.job_id] = event.seq - 1
                if len(self._followed) > MAX_RUNS:
                    self._followed.popitem(last=False)

    async def _write(self, send: Send) -> None:
        await self._catch_up()
        most = MAX_BATCH
        while True:
            events = await self._outbox.take(most=most, max_bytes=self._most)
            if events:
                opened, receipt = self._opened, await self._send(send, events)
                if receipt is None or not receipt.ok:
                    # It may have come back while the gateway still spoke of the connection before; silence tells
                    # nothing, and where the link is lost this task is cancelled.
                    if receipt is not None and opened == self._opened:
                        break
                    await self._begin_again(events)
                    continue
                self._note_had(events)
                most = max(1, min(receipt.room, MAX_BATCH))
                if receipt.room <= 0:
                    await asyncio.sleep(PACE_SECONDS)
            if self._outbox.lagging and self._outbox.empty:
                self._outbox.lagging = False
                await self._catch_up()
        self._dispatcher.leave(self.caller)
        self._outbox.clear()

    async def _send(self, send: Send, events: list[RelayEvent]) -> RelayReceipt | None:
        """Return what the gateway says of a batch; None when it says nothing."""
        batch = [{"event": event.event, "data": event.data} for event in events]
        try:
            told = await send(EVENTS, {"session": self.label, "events": batch})
            receipt = RelayReceipt.model_validate(told)
        except (ConnectionError, ValidationError) as error:
            _log.info("could not send to a page", extra={"page": self.label[:8], "reason": str(error)[:200]})
            return None if isinstance(error, ConnectionError) else _NOT_TAKEN
        self._meter.relayed("out", len(events))
        return receipt

    async def _begin_again(self, untold: list[RelayEvent]) -> None:
        """Send what was not taken once more: answers as they are, events of runs as the journal has them."""
        self._runs.unsubscribe(self.caller.follows)
        self._outbox.begin_again(untold)
        await asyncio.sleep(RETRY_SECONDS)

    def _note_had(self, events: list[RelayEvent]) -> None:
        for event in events:
            if event.job_id is None:
                continue
            if event.final:
                self._followed.pop(event.job_id, None)
            elif event.job_id in self._followed:
                self._followed[event.job_id] = max(event.seq, self._followed[event.job_id])

    async def _catch_up(self) -> None:
        """Follow the unfinished runs again, from the first event that the page has not had."""
        for run_id, last_seq in list(self._followed.items()):
            follows = self.caller.follows
            follows.restart(run_id, last_seq)
            try:
                follows.ends_with(run_id, await self._runs.subscribe(run_id, follows, last_seq))
            except FloworkError as error:
                _log.warning("cannot follow a run again", extra={"run": run_id, "reason": error.message})
                self._followed.pop(run_id, None)


_NOT_TAKEN = RelayReceipt(ok=False, room=0)


def _command(event: str, payload: dict[str, Any]) -> str:
    """Return the engine's name of a command."""
    if event != FILES:
        return event
    return "request_directory_list" if payload.get("path") else "request_drives"


def _small(payload: dict[str, Any]) -> dict[str, Any]:
    """Return the members that an answer may repeat."""
    names = ("job_id", "connection_id", "name", "path", "component_type", "component_id")
    return {name: payload[name] for name in names if isinstance(payload.get(name), str)}
