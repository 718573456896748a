"""What a front and the leading process tell each other, as MessagePack; each record is one of these."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from shared.signing.delegation import DelegatedSession
from shared.signing.envelope import OpenedMessage
from shared.signing.replay import ReplayEntry
from shared.signing.strict_json import parse_object
from shared.tracing import read_traceparent

EDITION = 3
"""Processes of one edition understand each other; it is part of what both prove at the beginning."""


class Session(msgspec.Struct, frozen=True, array_like=True):
    """A `DelegatedSession` on its way."""

    wallet: str
    address: str
    engines: list[str]
    scopes: list[str]
    expires_ms: int


class Command(msgspec.Struct, frozen=True, array_like=True, tag="command"):
    """A message whose proof the front has checked. ``number`` counts the commands of one client."""

    client: int
    number: int
    address: str
    bound: bool
    message: str
    key: bytes
    expires_ms: int
    session: Session | None
    signature: str
    payload: bytes
    traceparent: str | None = None


class Followed(msgspec.Struct, frozen=True, array_like=True):
    """A run that a client follows: the number of the last event it has, and whether with the runs it starts."""

    run: str
    seq: int
    children: bool


class AtPreset(msgspec.Struct, frozen=True, array_like=True):
    """A preset that a client has open, as `core_engine.company.Guest` has it."""

    preset: str
    address: str
    selected: list[str]
    seat: str | None


class Speaker(msgspec.Struct, frozen=True, array_like=True):
    """Who speaks on a connection; ``until_ms`` is set where session keys do, to the end of their delegation."""

    address: str
    until_ms: int | None = None


class Renew(msgspec.Struct, frozen=True, array_like=True, tag="renew"):
    """A client that the process which led before knew: who speaks on it, what it follows and what it has open."""

    client: int
    speakers: list[Speaker]
    runs: list[Followed]
    seats: list[AtPreset] = []


class Sent(msgspec.Struct, frozen=True, array_like=True, tag="sent"):
    """So many bytes of events left for the client."""

    client: int
    size: int


class Left(msgspec.Struct, frozen=True, array_like=True, tag="left"):
    """The client is gone."""

    client: int


class Beat(msgspec.Struct, frozen=True, array_like=True, tag="beat"):
    """A sign of life, in both directions."""


class Mark(msgspec.Struct, frozen=True, array_like=True):
    """Where a frame stands in the events of a run; ``ended`` with its last one."""

    run: str
    seq: int
    ended: bool


class Events(msgspec.Struct, frozen=True, array_like=True, tag="events"):
    """Frames for a client, as JSON, with the mark of each that belongs to a run."""

    client: int
    frames: Sequence[bytes]
    marks: Sequence[Mark | None]


class Admitted(msgspec.Struct, frozen=True, array_like=True, tag="admitted"):
    """Who speaks on the client's connection by messages that were used: a good signature alone may be a repeat."""

    client: int
    speakers: list[Speaker]


class Done(msgspec.Struct, frozen=True, array_like=True, tag="done"):
    """A command is over and answered; ``used`` is False where its message could not be used.

    ``seats`` are the presets that the client has open from here on; None where they are those of before.
    """

    client: int
    number: int
    used: bool
    seats: list[AtPreset] | None = None


class End(msgspec.Struct, frozen=True, array_like=True, tag="end"):
    """The client's connection is to be closed."""

    client: int
    code: int
    reason: str


FromFront = Command | Renew | Sent | Left | Beat
FromLeader = Events | Admitted | Done | End | Beat
Record = Command | Renew | Sent | Left | Beat | Events | Admitted | Done | End

encode = msgspec.msgpack.Encoder().encode
_from_front: msgspec.msgpack.Decoder[FromFront] = msgspec.msgpack.Decoder(FromFront)
_from_leader: msgspec.msgpack.Decoder[FromLeader] = msgspec.msgpack.Decoder(FromLeader)


def read_from_front(data: bytes) -> FromFront:
    """Return what a front said; raises ValueError for anything else."""
    return _from_front.decode(data)


def read_from_leader(data: bytes) -> FromLeader:
    """Return what the leading process said; raises ValueError for anything else."""
    return _from_leader.decode(data)


def command_of(client: int, number: int, opened: OpenedMessage) -> Command:
    """Return the record that carries a message on."""
    entry, session = opened.replay_entry, opened.session
    if entry is None:
        raise ValueError("a message that cannot be told from a repeat of it is not passed on")
    return Command(
        client,
        number,
        opened.address,
        opened.bound,
        opened.message,
        entry.key,
        entry.expires_ms,
        None if session is None else _written(session),
        opened.signature,
        opened.raw_payload,
        opened.traceparent,
    )


def opened_of(command: Command) -> OpenedMessage:
    """Return the message that a record carries; raises INVALID_REQUEST for a payload that no front passes on."""
    session, joined = command.session, read_traceparent(command.traceparent)
    return OpenedMessage(
        command.address,
        parse_object(command.payload),
        command.bound,
        command.message,
        ReplayEntry(command.key, command.expires_ms),
        None if session is None else _read(session),
        command.signature,
        command.payload,
        joined.traceparent if joined else None,
    )


def _written(session: DelegatedSession) -> Session:
    return Session(
        session.wallet,
        session.session_address,
        list(session.engines),
        sorted(session.scopes),
        session.expires_ms,
    )


def _read(session: Session) -> DelegatedSession:
    return DelegatedSession(
        session.wallet,
        session.address,
        tuple(session.engines),
        frozenset(session.scopes),
        session.expires_ms,
    )
