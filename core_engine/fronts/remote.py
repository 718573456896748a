"""One client of a front, as the leading process has it: whose events wait here, and whose commands are carried out."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from core_engine.access.control import AccessControl
from core_engine.commands import answers
from core_engine.commands.caller import Caller
from core_engine.commands.dispatch import Dispatcher
from core_engine.company import Company, Guest
from core_engine.fronts.channel import Channel
from core_engine.fronts.records import (
    Admitted,
    AtPreset,
    Command,
    Done,
    End,
    Events,
    Followed,
    Mark,
    Renew,
    Speaker,
    encode,
    opened_of,
)
from core_engine.kernel.ports import Frame, Runs
from core_engine.transport.outbox import Outbox
from shared.contract.base import Role
from shared.contract.run import RunStatus
from shared.errors import FloworkError

BATCH_BYTES = 256 * 1024
MAX_FRAME_BYTES = 256 * 1024 * 1024
MAX_EARLY = 256
_FINAL = frozenset(status.value for status in RunStatus if status.final)
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Desk:
    """What a remote client's commands are carried out with."""

    dispatcher: Dispatcher
    runs: Runs
    access: AccessControl
    company: Company
    outbox_bytes: int


class RemoteClient:
    """The far client from its first signed message here to its end."""

    def __init__(self, number: int, channel: Channel, desk: Desk) -> None:
        self.number = number
        self._channel = channel
        self._desk = desk
        self._outbox = Outbox(max_bytes=desk.outbox_bytes, batch=False, on_overflow=self._drop_slow_reader)
        self._marks: deque[Mark | None] = deque()
        self._early: deque[Command] = deque()
        self._renewal: asyncio.Task[None] | None = None
        self._ended = False
        self._admitted: dict[str, int | None] = {}
        self._seats: list[AtPreset] = []
        self.caller = Caller(self.send, self._outbox.has_room)
        self._writer = asyncio.create_task(self._write(), name=f"front client {number}")

    @property
    def ended(self) -> bool:
        """Whether nothing is sent to the client any more."""
        return self._ended

    def send(self, frames: Sequence[Frame]) -> None:
        """Send frames, in order."""
        if not self._ended:
            self._marks.extend(map(self._mark, frames))
            self._outbox.put(frames)

    def end(self, code: int, reason: str) -> None:
        """Have the front close the connection."""
        if not self._ended:
            self._channel.post(encode(End(self.number, code, reason)))
            self.leave()

    def enforce_access(self) -> None:
        """End the connection where somebody who speaks on it has not what he had any more."""
        if error := self._desk.access.ended(self.caller.standing):
            facts = {"addresses": sorted(self.caller.addresses), "reason": error.message}
            _log.info("closed a connection: its right ended", extra=facts)
            self.end(1008, error.message)

    def leave(self) -> None:
        """Note that the client is gone: its events go nowhere, its commands run to their end unanswered."""
        self._ended = True
        self._outbox.close()
        self._early.clear()
        if self._renewal is not None:
            self._renewal.cancel()
        self._desk.dispatcher.leave(self.caller)

    async def gone(self) -> None:
        """Wait for the end of what was going on, after `leave`."""
        tasks = [task for task in (self._writer, self._renewal) if task is not None]
        await asyncio.gather(*tasks, return_exceptions=True)

    def sent(self, size: int) -> None:
        """Note that so many bytes left the front for the client."""
        self._outbox.sent(size)

    def take(self, command: Command) -> None:
        """Carry out a command, after what the client follows stands again."""
        if self._ended:
            return
        if self._renewal is None or self._renewal.done():
            self._carry_out(command)
        elif len(self._early) < MAX_EARLY:
            self._early.append(command)
        else:
            self.end(1013, "Too many commands at a time")

    def renew(self, record: Renew) -> None:
        """Take up a client that was known to the process which led before."""
        for speaker in record.speakers:
            if role := self._desk.access.role_of(speaker.address):
                self.caller.standing.admit(speaker.address, speaker.until_ms, role=role)
        self.enforce_access()
        if (record.runs or record.seats) and not self._ended:
            self._renewal = asyncio.create_task(self._take_up(record), name=f"follow again {self.number}")

    def _carry_out(self, command: Command) -> None:
        def done(used: bool) -> None:  # noqa: FBT001 - the answer to one question
            # after the answer: what this client was sent in this tick goes out first
            self._flush()
            self._channel.post(encode(Done(self.number, command.number, used, self._new_seats())))

        try:
            self._desk.dispatcher.take_verified(opened_of(command), self.caller, done)
            self._tell_admitted()
        except FloworkError as error:
            self.caller.deliver((answers.refusal(error, (None, None)),))
            done(used=False)
        except Exception:  # noqa: BLE001 - the edge: an answer is owed whatever went wrong
            self.caller.deliver((answers.incident((None, None)),))
            done(used=True)

    def _tell_admitted(self) -> None:
        """Tell the front who speaks on the connection from here on, before it has any event of theirs."""
        grounds = self.caller.standing.grounds
        now = {address: ground.until_ms for address, ground in grounds.items()}
        if now != self._admitted:
            self._admitted = now
            speakers = [Speaker(address, until_ms) for address, until_ms in now.items()]
            self._channel.post(encode(Admitted(self.number, speakers)))

    def _new_seats(self) -> list[AtPreset] | None:
        """Return the presets that the client has open, if the front does not know of them yet."""
        seats = [
            AtPreset(preset, guest.address, list(guest.selected), guest.seat)
            for preset, guest in self._desk.company.seats_of(self.caller)
        ]
        if seats == self._seats:
            return None
        self._seats = seats
        return seats

    async def _take_up(self, record: Renew) -> None:
        self._seats = record.seats
        try:
            for seat in record.seats:
                await self._seat_again(seat)
            await self._follow_again(record)
        finally:
            while self._early and not self._ended:
                self._carry_out(self._early.popleft())

    async def _seat_again(self, seat: AtPreset) -> None:
        role = self._desk.access.role_of(seat.address)
        if role is None:
            return
        caller, edits = self.caller, role >= Role.ADMIN
        guest = Guest(caller, caller.deliver, seat.address, False, edits, tuple(seat.selected), seat.seat)
        try:
            await self._desk.company.watch(seat.preset, guest, lambda: not caller.gone)
        except FloworkError as error:
            _log.info("a preset is not open any more", extra={"preset": seat.preset, "reason": error.message})

    async def _follow_again(self, record: Renew) -> None:
        follows = self.caller.follows
        runs = {run.run: run for run in record.runs if self._may_follow(run.run)}
        for run in runs.values():
            follows.restart(run.run, run.seq)
        families = {run.run for run in runs.values() if run.children}
        # those that are followed with their children first: what they started is then followed through them
        for run in sorted(runs.values(), key=lambda run: not run.children):
            await self._follow(run, children=run.children or self._is_of(run.run, families))

    async def _follow(self, run: Followed, *, children: bool) -> None:
        follows = self.caller.follows
        try:
            unsubscribe = await self._desk.runs.subscribe(
                run.run, follows, run.seq, self.caller.pace, include_children=children
            )
            follows.ends_with(run.run, unsubscribe)
        except FloworkError as error:
            _log.warning("cannot follow a run again", extra={"run": run.run, "reason": error.message})

    def _may_follow(self, run_id: str) -> bool:
        try:
            starter = self._desk.runs.summary(run_id).started_by
        except FloworkError:
            return False
        roles = {address: self._desk.access.role_of(address) for address in self.caller.addresses}
        return any(
            role is not None and (role >= Role.ADMIN or address == starter) for address, role in roles.items()
        )

    def _is_of(self, run_id: str, families: set[str]) -> bool:
        """Tell whether a run was started, over some steps, by one of others."""
        parent = self._desk.runs.summary(run_id).parent_job_id if families else None
        while parent is not None and parent not in families:
            parent = self._desk.runs.summary(parent).parent_job_id
        return parent is not None

    async def _write(self) -> None:
        while not self._ended:
            self._post(await self._outbox.take())
            await self._channel.drain()

    def _flush(self) -> None:
        """Send what waits now, so that what is posted next comes after it."""
        if not self._ended:
            self._post(self._outbox.take_now())

    def _post(self, frames: list[bytes]) -> None:
        for group in _groups(frames):
            marks = [self._marks.popleft() for _ in group]
            if len(group[0]) > MAX_FRAME_BYTES:
                self.end(1009, "An event is too large")
                return
            self._channel.post(encode(Events(self.number, group, marks)))

    def _mark(self, frame: Frame) -> Mark | None:
        """Say where a frame stands in the events of a run that the client follows."""
        run, seq = frame.get("job_id"), frame.get("seq")
        if frame.get("type") == "run_subscribed":
            return Mark(frame["job_id"], frame["from_seq"] - 1, ended=False)
        if not isinstance(run, str) or not isinstance(seq, int):
            return None
        data = frame.get("status_data")
        if frame["type"] == "workflow_status_update" and data and data.get("status") in _FINAL:
            return Mark(run, seq, ended=True)
        return Mark(run, seq, ended=False) if self._desk.runs.follows(run, self.caller.follows) else None

    def _drop_slow_reader(self) -> None:
        _log.warning("dropped a slow reader", extra={"unsent_bytes": self._outbox.unsent_bytes})
        self.end(1013, "Too slow: events pile up")


def _groups(frames: list[bytes]) -> Iterator[list[bytes]]:
    group: list[bytes] = []
    size = 0
    for frame in frames:
        if group and size + len(frame) > BATCH_BYTES:
            yield group
            group, size = [], 0
        group.append(frame)
        size += len(frame)
    if group:
        yield group
