"""Commands that come through the gateway: proven here, then carried out as those of the raw socket (protocol §3)."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Literal, TypeVar

import msgspec
from msgspec.structs import replace
from pydantic import BaseModel, ValidationError

from core_engine.access.control import AccessControl, Memory
from core_engine.access.share_links import ShareLinks, Visit
from core_engine.commands import answers
from core_engine.commands.dispatch import Dispatcher
from core_engine.gateway_link.relay_frames import Question
from core_engine.gateway_link.relay_proof import SignIns
from core_engine.gateway_link.relay_session import RelaySession, Send
from core_engine.kernel.meters import Meter, Uncounted
from core_engine.kernel.ports import Frame, Runs
from shared.clock import Clock
from shared.contract import catalog
from shared.contract.base import Role
from shared.contract.relay import COMMAND, LEFT, OPEN, RelayCommand, RelayLeft, RelayOpen
from shared.errors import ErrorCode, FloworkError
from shared.signing.envelope import OpenedMessage
from shared.signing.strict_json import check_depth, parse_object
from shared.tracing import read_traceparent

_log = logging.getLogger(__name__)

MAX_SESSIONS = 1000
MAX_ECHO_DEPTH = 128
ONLY_BOUND = (
    "This engine accepts only messages whose signature covers them (ENGINE_ENVELOPE=bound); this page does not "
    "sign its messages one by one. Use a client that does."
)

Model = TypeVar("Model", bound=BaseModel)


class Relay:
    """The pages behind the gateway. The gateway says which page speaks; who that is must be proven to the engine."""

    def __init__(  # noqa: PLR0913 - what it is wired with
        self,
        dispatcher: Dispatcher,
        runs: Runs,
        access: AccessControl,
        *,
        links: ShareLinks,
        form: Literal["documented", "bound"],
        clock: Clock,
        memory: Memory,
        meter: Meter | None = None,
    ) -> None:
        catalog.load()
        self._dispatcher = dispatcher
        self._runs = runs
        self._access = access
        self._meter = meter or Uncounted()
        self._links = links
        self._form = form
        self._sign_ins = SignIns(clock, memory)
        self._sessions: OrderedDict[str, RelaySession] = OrderedDict()
        self._send: Send = _not_connected
        self.handlers: Mapping[str, Callable[[Any], Awaitable[Any]]] = {
            OPEN: self._on_open,
            COMMAND: self._on_command,
            LEFT: self._on_left,
        }

    def connected(self, send: Send) -> None:
        """Use this way to the gateway from now on."""
        self._send = send

    def disconnected(self) -> None:
        """Note that the link is lost: every page is away until it comes back."""
        self._send = _not_connected
        for session in self._sessions.values():
            session.leave()

    def enforce_access(self) -> None:
        """Tell pages of people who have not what they had any more just that, and nothing of what they follow."""
        for label, session in list(self._sessions.items()):
            if error := self._access.ended(session.caller.standing):
                facts = {"addresses": sorted(session.caller.addresses), "reason": error.message}
                _log.info("left a page: its right ended", extra=facts)
                away, max_bytes = session.away, session.max_bytes
                self._sessions.pop(label).leave()
                if not away:
                    fresh = self._session(label)
                    fresh.open(self._send, max_bytes)
                    fresh.tell(error)

    def broadcast(self, frames: Sequence[Frame]) -> None:
        """Send frames to every page on which somebody with a role on the engine has signed."""
        for session in self._sessions.values():
            if any(self._access.role_of(address) for address in session.caller.addresses):
                session.caller.deliver(frames)

    @property
    def pages(self) -> int:
        """How many pages are open."""
        return sum(not session.away for session in self._sessions.values())

    async def close(self) -> None:
        """End all sending."""
        await asyncio.gather(*(session.end() for session in self._sessions.values()))
        self._sessions.clear()

    async def _on_open(self, data: Any = None) -> dict[str, Any]:
        request = _read(RelayOpen, data)
        if request is None:
            return _NOT_UNDERSTOOD
        if self._form == "documented":
            await self._welcome(request)
        session = self._sessions.get(request.session)
        if session is not None:
            session.open(self._send, request.max_bytes)
        return _OK

    async def _on_command(self, data: Any = None) -> dict[str, Any]:
        command = _read(RelayCommand, data)
        if command is None:
            return _NOT_UNDERSTOOD
        self._meter.relayed("in", 1)
        session = self._session(command.session)
        session.open(self._send, command.max_bytes)
        try:
            visit = self._links.admit(command.share) if command.share else None
            opened = replace(self._proven(command), traceparent=_joined(command))
            session.take(command.event, opened, visit)
        except FloworkError as error:
            _log.info("refused a relayed message", extra={"code": error.code.value, "reason": error.message})
            session.refuse(_asked(command), error)
        await self._sign_ins.save()
        return _OK

    async def _on_left(self, data: Any = None) -> dict[str, Any]:
        request = _read(RelayLeft, data)
        if request is not None and request.session in self._sessions:
            self._sessions[request.session].leave()
        return _OK

    async def _welcome(self, request: RelayOpen) -> None:
        """Take up a page's sign-in while it is fresh, and the runs that it was shown before a restart of ours."""
        try:
            address = self._sign_ins.prove(request.auth)
        except FloworkError as error:
            _log.info("a page's sign-in does not hold", extra={"reason": error.message})
            return
        await self._sign_ins.save()
        if request.session not in self._sessions:
            visit = self._links.still(request.share)
            own = {
                run_id: seq
                for run_id, seq in request.runs.items()
                if self._may_follow(address, run_id, visit)
            }
            if own:
                session = self._session(request.session)
                session.follow_again(address, own, role=self._access.role_of(address), visit=visit)

    def _may_follow(self, address: str, run_id: str, visit: Visit | None) -> bool:
        role = self._access.role_of(address)
        try:
            run = self._runs.summary(run_id)
        except FloworkError:
            return False
        starter = run.started_by
        if visit is not None and starter == address and run.preset_name == visit.preset:
            return True
        return role is not None and (role >= Role.ADMIN or starter == address)

    def _proven(self, command: RelayCommand) -> OpenedMessage:
        """Return the command with its sender as proven to this engine; raises FloworkError."""
        if command.envelope is not None:
            opened = self._dispatcher.open(command.envelope.encode(errors="surrogatepass"))
            if opened.payload.get("type") != command.event:
                raise FloworkError(
                    ErrorCode.INVALID_REQUEST,
                    "The signed envelope holds another command than the event says.",
                )
            return opened
        if self._form == "bound":
            raise FloworkError(ErrorCode.UNAUTHENTICATED, ONLY_BOUND)
        address = self._sign_ins.prove(command.auth)
        raw = (command.payload or "{}").encode(errors="surrogatepass")
        return OpenedMessage(
            address,
            parse_object(raw),
            bound=False,
            message=command.auth.message,
            replay_entry=None,
            session=None,
            signature=command.auth.signature,
            raw_payload=raw,
        )

    def _session(self, label: str) -> RelaySession:
        session = self._sessions.get(label)
        if session is None:
            session = self._sessions[label] = RelaySession(label, self._dispatcher, self._runs, self._meter)
            if len(self._sessions) > MAX_SESSIONS:
                self._sessions.pop(self._oldest()).leave()
        self._sessions.move_to_end(label)
        return session

    def _oldest(self) -> str:
        away = (label for label, session in self._sessions.items() if session.away)
        return next(away, next(iter(self._sessions)))


_OK: dict[str, Any] = {"ok": True}
_NOT_UNDERSTOOD: dict[str, Any] = {
    "ok": False,
    "code": ErrorCode.INVALID_REQUEST.value,
    "error": "The engine does not understand this frame of the gateway.",
}


async def _not_connected(event: str, data: dict[str, Any]) -> Any:
    del event, data
    raise ConnectionError("no link to the gateway")


def _read(model: type[Model], data: Any) -> Model | None:
    try:
        return model.model_validate(data)
    except ValidationError:
        _log.warning("a frame of the gateway is not understood", extra={"model": model.__name__})
        return None


def _joined(command: RelayCommand) -> str | None:
    context = read_traceparent(command.traceparent)
    return context.traceparent if context else None


def _asked(command: RelayCommand) -> Question:
    """Return what a refused command says of itself, for the echo in its refusal only."""
    raw = (command.envelope or command.payload or "{}").encode(errors="surrogatepass")
    try:
        check_depth(raw, MAX_ECHO_DEPTH)
        claimed = msgspec.json.decode(raw, type=dict[str, Any])
    except (FloworkError, msgspec.DecodeError, UnicodeError):
        claimed = {}
    payload = claimed if command.envelope is None else claimed.get("payload")
    payload = payload if isinstance(payload, dict) else {}
    return Question(command.event, payload, answers.ids_of(None, payload.get("request_id"))[1])
