"""The way of every message: envelope, replay, role, shape, handler, answer (one order for all transports)."""

from __future__ import annotations

import asyncio
import difflib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec
from pydantic import ValidationError

from core_engine.access.control import AccessControl
from core_engine.access.share_links import Visit
from core_engine.commands import answers
from core_engine.commands.caller import Caller
from core_engine.commands.command import CommandContext, CommandHandler, Rooms
from core_engine.commands.underway import Underway
from core_engine.commands.visit import check_visitor
from core_engine.kernel.meters import DONE, Meter, Uncounted
from shared import logs
from shared.clock import Clock
from shared.contract.base import Command, Role
from shared.contract.session_keys import WALLET_COMMANDS
from shared.errors import ErrorCode, FloworkError
from shared.signing.delegation import DelegatedSession
from shared.signing.envelope import EnvelopeVerifier, OpenedMessage
from shared.signing.replay import ReplayEntry

_log = logging.getLogger(__name__)

MAX_IN_FLIGHT = 64
DEADLINE_SECONDS = 60.0
RETRY_SECONDS = 0.1
MAX_LOGGED = 300
SCOPES = {Role.READER: "read", Role.RUNNER: "run", Role.ADMIN: "admin", Role.OWNER: "own"}
"""The scope that a delegated session needs for a command, by the role that the command needs."""
_ORDINARY = frozenset({ErrorCode.NOT_FOUND, ErrorCode.CONFLICT})
"""Answers rather than refusals: somebody who may ask was told how things are. The log has them at DEBUG."""


class ReplayLog(Protocol):
    """Where used messages are noted, ahead of everything that is journaled after them."""

    def remember(self, entry: ReplayEntry) -> None:
        """Queue the entry for the writer; what is queued later is written later."""
        ...


@dataclass(frozen=True, slots=True)
class Guards:
    """What a message must pass."""

    envelopes: EnvelopeVerifier
    replays: ReplayLog
    access: AccessControl
    clock: Clock


class _Request(msgspec.Struct, frozen=True, gc=False):
    handler: CommandHandler[Any]
    message: Command
    address: str
    role: Role
    opened: OpenedMessage
    visit: Visit | None


class Dispatcher:
    """Carries out messages. Every message is answered; nothing a client sends raises out of here."""

    def __init__(
        self,
        guards: Guards,
        rooms: Rooms,
        handlers: dict[str, CommandHandler[Any]],
        meter: Meter | None = None,
    ) -> None:
        self._guards = guards
        self._meter = meter or Uncounted()
        self._rooms = rooms
        self._handlers = handlers
        self._underway = Underway()

    def accept(self, raw: bytes, caller: Caller) -> bool:
        """Take one message of a connection; tell whether its signature was good.

        The command itself runs on as its own task if it has to wait.
        """
        ids: answers.Ids = (None, None)
        opened: OpenedMessage | None = None
        try:
            opened = self.open(raw)
            ids = answers.ids_of(opened.payload.get("job_id"), opened.payload.get("request_id"))
            self._start_at_once(self._judge(opened, caller), caller, ids)
        except FloworkError as error:
            address = opened.address if opened else None
            self._refuse(caller, error, ids if opened else answers.ids_of_raw(raw), address)
        except Exception:  # noqa: BLE001 - the edge: whatever a client sends, its connection lives on
            self._meter.answered(ErrorCode.INTERNAL.value)
            caller.deliver((answers.incident(ids),))
        return opened is not None

    def open(self, raw: bytes) -> OpenedMessage:
        """Judge a signed message without acting on it; raises FloworkError as the verifier does."""
        clock, outcome = self._guards.clock, DONE
        begun = clock.monotonic()
        try:
            return self._guards.envelopes.open(raw, clock.now_ms())
        except FloworkError as error:
            outcome = error.code.value
            raise
        finally:
            self._meter.verified(clock.monotonic() - begun, outcome)

    def leave(self, caller: Caller) -> None:
        """Note that a connection is gone: its events go nowhere, its commands run to their end unanswered."""
        caller.gone = True
        self._rooms.runs.unsubscribe(caller.follows)
        self._rooms.company.leave_all(caller)

    async def close(self) -> None:
        """Interrupt what still runs."""
        await self._underway.close()

    def take_verified(self, opened: OpenedMessage, caller: Caller, done: Callable[[bool], None]) -> None:
        """Carry out a message that another process of this engine has opened, unless it was used before.

        ``done`` is called once, after the answer: with False where the message may not be used.
        """
        ids = answers.ids_of(opened.payload.get("job_id"), opened.payload.get("request_id"))
        try:
            self._guards.envelopes.use(opened, self._guards.clock.now_ms())
        except FloworkError as error:
            self._refuse(caller, error, ids, opened.address)
            done(False)
            return
        task = self.begin(opened, caller)
        if task is None:
            done(True)
        else:
            task.add_done_callback(lambda _: done(True))

    def begin(
        self, opened: OpenedMessage, caller: Caller, visit: Visit | None = None
    ) -> asyncio.Task[None] | None:
        """Carry out a message whose sender is verified, if he may have it done; it runs on as its own task.

        With a ``visit`` the sender may do what that share link allows, and nothing else. Returns the task, or None
        where the command was refused.
        """
        ids = answers.ids_of(opened.payload.get("job_id"), opened.payload.get("request_id"))
        try:
            return self._start(self._judge(opened, caller, visit), caller, ids)
        except FloworkError as error:
            self._refuse(caller, error, ids, opened.address)
            return None

    def _start(self, request: _Request, caller: Caller, ids: answers.Ids) -> asyncio.Task[None]:
        caller.in_flight += 1
        command = self._carry_out(request, caller, ids)
        return self._underway.begin(command, request.message.name, ids[0] or "", DEADLINE_SECONDS)

    def _start_at_once(self, request: _Request, caller: Caller, ids: answers.Ids) -> None:
        if not request.handler.at_once:
            _ = self._start(request, caller, ids)
            return
        caller.in_flight += 1
        command = self._carry_out(request, caller, ids)
        self._underway.begin_at_once(command, request.message.name, ids[0] or "", DEADLINE_SECONDS)

    def _judge(self, opened: OpenedMessage, caller: Caller, visit: Visit | None = None) -> _Request:
        """Turn a message into a request that may be carried out."""
        role = visit.role if visit else self._guards.access.require_role(opened.address)
        # What strangers send is remembered in memory only; it could do nothing a second time either.
        if opened.replay_entry is not None:
            self._guards.replays.remember(opened.replay_entry)
        _check_room(opened, caller, role, visit)
        handler = self._find(opened.payload.get("type"))
        model = handler.model
        if visit is None:
            _check_role(model, role)
        else:
            check_visitor(visit, opened, self._rooms.runs)
        if opened.session is not None:
            _check_session(model, opened.session)
        try:
            message = model.model_validate(opened.payload)
        except ValidationError as error:
            raise answers.invalid_fields(model.name, error) from error
        return _Request(handler, message, opened.address, role, opened, visit)

    def _find(self, name: Any) -> CommandHandler[Any]:
        if not isinstance(name, str):
            raise FloworkError(
                ErrorCode.INVALID_REQUEST,
                "payload.type must name a command.",
                details=[{"field": "type", "problem": "Input should be a valid string"}],
            )
        handler = self._handlers.get(name)
        if handler is None:
            near = difflib.get_close_matches(name[:80], self._handlers, n=1)
            hint = f", did you mean {near[0]}?" if near else "."
            raise FloworkError(ErrorCode.UNKNOWN_COMMAND, f"There is no command {name[:80]!r}{hint}")
        return handler

    async def _carry_out(self, request: _Request, caller: Caller, ids: answers.Ids) -> None:
        context = CommandContext(
            address=request.address,
            role=request.role,
            caller=caller,
            rooms=self._rooms,
            request_id=request.message.request_id,
            opened=request.opened,
            visit=request.visit,
        )
        try:
            answer = await request.handler.run(context, request.message)
            if answer is not None:
                context.answer(answer)
            self._meter.answered(DONE)
        except FloworkError as error:
            context.release()
            self._refuse(caller, error, ids, request.address)
        except (TimeoutError, asyncio.CancelledError) as error:
            if isinstance(error, asyncio.CancelledError) and not self._underway.is_late():
                raise
            context.release()
            late = FloworkError(
                ErrorCode.DEADLINE_EXCEEDED,
                f"{request.message.name} took longer than {DEADLINE_SECONDS:g} s.",
            )
            self._refuse(caller, late, ids, request.address)
        except Exception:  # noqa: BLE001 - the edge: an answer is owed whatever went wrong
            context.release()
            self._meter.answered(ErrorCode.INTERNAL.value)
            caller.deliver((answers.incident(ids),))
        finally:
            context.release()
            caller.in_flight -= 1
            if caller.gone:
                self._rooms.runs.unsubscribe(caller.follows)

    def _refuse(
        self,
        caller: Caller,
        error: FloworkError,
        ids: answers.Ids,
        address: str | None = None,
    ) -> None:
        self._meter.answered(error.code.value)
        level = logging.DEBUG if error.code in _ORDINARY else logging.INFO
        if _log.isEnabledFor(level):
            reason = _printable(error.message)
            facts = {"code": error.code.value, "address": address, "reason": reason}
            with logs.of_run(ids[0] or ""):
                _log.log(level, "refused a message", extra=facts)
        caller.deliver((answers.refusal(error, ids),))


def _check_room(opened: OpenedMessage, caller: Caller, role: Role, visit: Visit | None) -> None:
    until_ms = None if opened.session is None else opened.session.expires_ms
    own, link = (role, None) if visit is None else (None, visit.grant)
    if not caller.standing.admit(opened.address, until_ms, role=own, link=link):
        raise FloworkError(ErrorCode.FORBIDDEN, "Too many identities on one connection; open another one.")
    if caller.in_flight >= MAX_IN_FLIGHT:
        raise FloworkError(
            ErrorCode.RATE_LIMITED,
            f"At most {MAX_IN_FLIGHT} commands may run at the same time on one connection.",
            retry_after=RETRY_SECONDS,
        )


def _check_role(model: type[Command], role: Role) -> None:
    if role < model.role:
        needed = model.role.name.lower()
        raise FloworkError(
            ErrorCode.FORBIDDEN,
            f"{model.name} needs the role {needed}; yours is {role.name.lower()}.",
            details={"required_role": needed},
        )


def _check_session(model: type[Command], session: DelegatedSession) -> None:
    if model.name in WALLET_COMMANDS:
        raise FloworkError(ErrorCode.FORBIDDEN, f"Sign {model.name} with the wallet itself.")
    session.require(SCOPES[model.role])


def _printable(text: str) -> str:
    """Return a text that names of a client's choice may stand in, fit for one line of a log."""
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text[:MAX_LOGGED])
