"""Checks the messages of a front's clients and passes them on; holds them, for a while, where nobody takes them."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from core_engine.commands import answers
from core_engine.commands.caller import Caller
from core_engine.commands.dispatch import MAX_IN_FLIGHT
from core_engine.fronts.channel import Channel
from core_engine.fronts.clients import FrontClient
from core_engine.fronts.records import (
    Admitted,
    Beat,
    Command,
    Done,
    End,
    Events,
    FromLeader,
    Left,
    Record,
    Sent,
    command_of,
    encode,
)
from core_engine.kernel.meters import DONE, Meter
from shared.clock import Clock
from shared.errors import ErrorCode, FloworkError
from shared.signing.envelope import EnvelopeVerifier, OpenedMessage

MAX_HELD = 10_000
MAX_HELD_BYTES = 64 * 1024 * 1024
MAX_BACKLOG_BYTES = 64 * 1024 * 1024
SWEEP_SECONDS = 0.25
RETRY_SECONDS = 2.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Held:
    client: FrontClient
    command: Command
    ids: answers.Ids
    until: float


class Courier:
    """What the connections of a front hand their messages to; a `core_engine.transport.peer.Acceptor`.

    While no channel stands, messages are held for ``hold_seconds`` after it was lost; then they are refused.
    """

    def __init__(self, envelopes: EnvelopeVerifier, meter: Meter, clock: Clock, hold_seconds: float) -> None:
        self._envelopes = envelopes
        self._meter = meter
        self._clock = clock
        self._hold_seconds = hold_seconds
        self._channel: Channel | None = None
        self._clients: dict[int, FrontClient] = {}
        self._by_caller: dict[Caller, FrontClient] = {}
        self._held: deque[_Held] = deque()
        self._held_bytes = 0
        self._alone_since = clock.monotonic()
        self.forwarded = 0
        self.delivered = 0

    @property
    def linked(self) -> bool:
        """Whether messages reach the process that leads."""
        return self._channel is not None

    @property
    def held(self) -> int:
        """How many messages wait for a process that leads."""
        return len(self._held)

    def join(self, client: FrontClient) -> None:
        """Take in a new connection."""
        self._clients[client.number] = client
        self._by_caller[client.caller] = client

    def accept(self, raw: bytes, caller: Caller) -> bool:
        """Check one message and pass it on; tell whether its signature was good."""
        ids: answers.Ids = (None, None)
        opened: OpenedMessage | None = None
        try:
            opened = self._open(raw)
            ids = answers.ids_of(opened.payload.get("job_id"), opened.payload.get("request_id"))
            self._pass_on(self._by_caller[caller], opened, ids)
        except FloworkError as error:
            self._meter.answered(error.code.value)
            caller.deliver((answers.refusal(error, ids if opened else answers.ids_of_raw(raw)),))
        except Exception:  # noqa: BLE001 - the edge: whatever a client sends, its connection lives on
            self._meter.answered(ErrorCode.INTERNAL.value)
            caller.deliver((answers.incident(ids),))
        return opened is not None

    def leave(self, caller: Caller) -> None:
        """Note that a connection is gone."""
        caller.gone = True
        client = self._by_caller.pop(caller, None)
        if client is not None:
            self._clients.pop(client.number, None)
            client.pending.clear()
            self._post(Left(client.number))

    def tell_sent(self, client: FrontClient, size: int) -> None:
        """Note that so many bytes left for a client."""
        self._post(Sent(client.number, size))

    @contextmanager
    def over(self, channel: Channel) -> Iterator[None]:
        """Pass messages on over a channel for as long as the block lasts; first what the clients follow."""
        self._lose()
        self._channel = channel
        for client in self._clients.values():
            client.forget_untold()
            if renewal := client.renewal():
                self._post(renewal)
        held, self._held, self._held_bytes = self._held, deque(), 0
        for item in held:
            item.client.held -= 1
            self._send(item.client, item.command, item.ids)
        try:
            yield
        finally:
            if self._channel is channel:
                self._lose()

    def take(self, record: FromLeader) -> None:
        """Take what the leading process says."""
        if isinstance(record, Beat) or (client := self._clients.get(record.client)) is None:
            return
        match record:
            case Events():
                self.delivered += len(record.frames)
                client.give(record.frames, record.marks)
            case Admitted():
                client.speakers = record.speakers
            case Done():
                client.pending.pop(record.number, None)
                client.seats = client.seats if record.seats is None else record.seats
                if not record.used:
                    client.penalise()
            case End():
                client.end(record.code, record.reason)

    async def sweep(self) -> None:
        """Refuse, until cancelled, what was held for long enough."""
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            now = self._clock.monotonic()
            while self._held and (self._held[0].until <= now or self._held[0].client.caller.gone):
                item = self._held.popleft()
                self._held_bytes -= len(item.command.payload)
                item.client.held -= 1
                self._refuse(item.client, _cut_off(), item.ids)

    def _open(self, raw: bytes) -> OpenedMessage:
        begun, outcome = self._clock.monotonic(), DONE
        try:
            return self._envelopes.open(raw, self._clock.now_ms())
        except FloworkError as error:
            outcome = error.code.value
            raise
        finally:
            self._meter.verified(self._clock.monotonic() - begun, outcome)

    def _pass_on(self, client: FrontClient, opened: OpenedMessage, ids: answers.Ids) -> None:
        if opened.payload.get("type") == "subscribe_run" and ids[0] is not None:
            client.wants_children(ids[0], wanted=opened.payload.get("include_children") is True)
        command = command_of(client.number, client.next_number(), opened)
        if self._channel is None:
            self._hold(client, command, ids)
        elif self._channel.backlog > MAX_BACKLOG_BYTES:
            text = "Too many messages are on their way to the engine's working process."
            raise FloworkError(ErrorCode.RATE_LIMITED, text, retry_after=RETRY_SECONDS)
        else:
            self._send(client, command, ids)

    def _hold(self, client: FrontClient, command: Command, ids: answers.Ids) -> None:
        until = self._alone_since + self._hold_seconds
        full = len(self._held) >= MAX_HELD or self._held_bytes + len(command.payload) > MAX_HELD_BYTES
        if full or until <= self._clock.monotonic() or client.held >= MAX_IN_FLIGHT:
            raise _cut_off()
        self._held.append(_Held(client, command, ids, until))
        self._held_bytes += len(command.payload)
        client.held += 1

    def _send(self, client: FrontClient, command: Command, ids: answers.Ids) -> None:
        if client.caller.gone:
            return
        client.pending[command.number] = ids
        self.forwarded += 1
        self._post(command)

    def _post(self, record: Record) -> None:
        if self._channel is not None:
            self._channel.post(encode(record))

    def _lose(self) -> None:
        """Answer what is under way: nobody else will."""
        if self._channel is None:
            return
        self._channel = None
        self._alone_since = self._clock.monotonic()
        for client in self._clients.values():
            pending, client.pending = client.pending, {}
            for ids in pending.values():
                self._refuse(client, _lost(), ids)

    def _refuse(self, client: FrontClient, error: FloworkError, ids: answers.Ids) -> None:
        self._meter.answered(error.code.value)
        client.caller.deliver((answers.refusal(error, ids),))


def _lost() -> FloworkError:
    text = (
        "The engine's working process was lost before it answered, so it is not known whether this was done."
        " Look, or send it again under the same job_id: a run is not started twice."
    )
    details = {"outcome": "unknown", "retry_after": RETRY_SECONDS}
    return FloworkError(ErrorCode.ENGINE_UNAVAILABLE, text, details=details, retry_after=RETRY_SECONDS)


def _cut_off() -> FloworkError:
    text = "This process has no contact with the engine's working one; nothing was done. Try again."
    details = {"outcome": "not_done", "retry_after": RETRY_SECONDS}
    return FloworkError(ErrorCode.ENGINE_UNAVAILABLE, text, details=details, retry_after=RETRY_SECONDS)
