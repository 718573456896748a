"""Passes the commands of pages on to engines, and the engines' answers and events back to those pages (protocol §3).

A courier: the roles it looks at only spare the way. The engine verifies for itself who speaks.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Any

from pydantic import ValidationError

from gateway.auth.socket_handshake import SignIn
from gateway.billing.metering import Meter
from gateway.realtime import frames
from gateway.realtime.engine_choice import Choice, EngineChoice
from gateway.realtime.engine_links import NAMESPACE as ENGINES
from gateway.realtime.gui_channel import NAMESPACE as GUIS
from gateway.realtime.pages import Page, Pages
from gateway.realtime.presence import Link
from gateway.realtime.rate import TokenBucket
from gateway.realtime.relay_command import auth_of, command_of, trace_of
from gateway.realtime.server import SocketServer
from gateway.realtime.share_visits import ShareVisits
from gateway.telemetry.tracing import Passing, Tracing
from shared import logs
from shared.clock import Clock
from shared.contract.base import Role
from shared.contract.relay import (
    COMMAND,
    FILES,
    LEFT,
    OPEN,
    STARTS,
    VERSION,
    RelayEvents,
    RelayLeft,
    RelayOpen,
    RelayReceipt,
    refused_answer,
    relayed_commands,
    relayed_events,
)
from shared.contract.share_link import RelayShare, check_visit
from shared.errors import ErrorCode, FloworkError

_log = logging.getLogger(__name__)

PER_SECOND = 50.0
BURST = 100.0
MAX_REFUSED = 500
ENGINE_SECONDS = 8.0


def _uncounted(direction: str, count: int) -> None:
    del direction, count


class Relay:
    """Between the two namespaces. An engine reaches only pages that it was told of, and of people who may use it."""

    def __init__(  # noqa: PLR0913 - what it is wired with
        self,
        server: SocketServer,
        choice: EngineChoice,
        visits: ShareVisits,
        pages: Pages,
        clock: Clock,
        *,
        meter: Meter,
        max_bytes: int,
        relayed: Callable[[str, int], None] = _uncounted,
        tracing: Tracing | None = None,
    ) -> None:
        self._server = server
        self._choice = choice
        self._visits = visits
        self._clock = clock
        self._meter = meter
        self._max_bytes = max_bytes
        self._relayed = relayed
        self._tracing = tracing or Tracing(clock)
        self._pages = pages
        self._commands = relayed_commands()
        self._events = relayed_events()
        self._lock = threading.Lock()
        self._rates: dict[str, TokenBucket] = {}

    def joined(self, sid: str, sign_in: SignIn) -> None:
        """Note a page's connection and tell the engines that it may use."""
        with self._lock:
            self._rates[sid] = TokenBucket(PER_SECOND, BURST, self._clock.monotonic())
        self.page_back(self._pages.join(sid, sign_in))

    def left(self, sid: str, sign_in: SignIn) -> None:
        """Note the end of a connection; tell the engines where it was the page's last."""
        with self._lock:
            self._rates.pop(sid, None)
        page = self._pages.leave(sid, sign_in)
        if page is None:
            return
        self.page_gone(page)
        back = self._pages.find(sign_in.page)
        if (
            back is not None
        ):  # it came back meanwhile, and what was just said would be the last that engines hear
            self.page_back(back)

    def page_back(self, page: Page) -> None:
        """Tell the engines that a page may use that it is there."""
        for engine_id in self._choice.access(page.sign_in.address):
            self._introduce(page, self._choice.live_link(engine_id))

    def page_gone(self, page: Page) -> None:
        """Tell the engines that worked for a page that it is closed."""
        for engine_id in list(page.engines):
            link = self._choice.live_link(engine_id)
            if link is not None:
                frame = RelayLeft(session=page.sign_in.page).model_dump()
                self._server.publish(ENGINES, LEFT, frame, link.sid)

    def engine_up(self, engine_id: str) -> None:
        """Tell an engine that came up which pages of its people are open."""
        link = self._choice.live_link(engine_id)
        for page in self._pages.of(self._choice.audience(engine_id), engine_id):
            self._introduce(page, link)

    def forward(self, sid: str, sign_in: SignIn, event: str, args: Sequence[Any]) -> dict[str, Any]:
        """Pass a command on; what cannot be passed on is answered with its documented event, or raises."""
        refusal = self._check_rate(sid)
        role, payload = self._open(event, args)
        try:
            if refusal is not None:
                raise refusal
            with self._tracing.passing(event, trace_of(args)) as passing:
                passing.note_run(payload.get("job_id"))
                with logs.of_run(passing.run):
                    self._pass_on(sign_in, event, payload, role, passing)
        except FloworkError as error:
            answers = refused_answer(event, payload, error.message)
            for name, data in answers:
                self._server.publish(GUIS, name, data, sid)
            if not answers or event in STARTS:
                raise
            return {"ok": False, "error": error.message, "code": error.code.value}
        return {"ok": True}

    def deliver(self, engine_id: str, payload: dict[str, Any]) -> dict[str, Any]:
        """Hand an engine's events to the page they are for; return what became of them as `RelayReceipt`."""
        sent = frames.read(RelayEvents, payload)
        page = self._pages.find(sent.session)
        if page is None or not self._entitled(page, engine_id):
            _log.info("dropped events for a page that is not there", extra={"engine_id": engine_id})
            return RelayReceipt(ok=False, room=0).model_dump()
        connections, noted = self._pages.connections(page), []
        for item in sent.events:
            if item.event not in self._events or not _well_formed(item.data):
                _log.warning("dropped an event that engines may not send", extra={"event": item.event})
                continue
            noted.append(item.data)
            for sid in connections:
                self._server.publish(GUIS, item.event, item.data, sid)
        self._pages.note(page, engine_id, noted)
        self._relayed("to_page", len(noted))
        room = min((self._server.room_for(GUIS, sid) for sid in connections), default=0)
        return RelayReceipt(ok=bool(connections), room=room).model_dump()

    def _open(self, event: str, args: Sequence[Any]) -> tuple[Role, dict[str, Any]]:
        role = self._commands.get(event)
        # One documented client sends this one bare.
        payload = frames.open_either(args) if event == FILES else frames.open_envelope(args)
        if role is None:
            raise FloworkError(
                ErrorCode.UNKNOWN_COMMAND, f"This gateway relays no event of the name {event[:80]!r}."
            )
        return role, payload

    def _entitled(self, page: Page, engine_id: str) -> bool:
        if engine_id not in page.engines:
            return False
        token = page.visits.get(engine_id)
        if token is not None and self._visits.leads_to(token, engine_id):
            return True
        return engine_id in self._choice.access(page.sign_in.address)

    def _check_rate(self, sid: str) -> FloworkError | None:
        with self._lock:
            bucket = self._rates.get(sid)
            wait = bucket.take(self._clock.monotonic()) if bucket else 1.0
        if not wait:
            return None
        if bucket is None or bucket.refused > MAX_REFUSED:
            _log.warning("dropped a connection that floods", extra={"sid": sid})
            self._server.drop(GUIS, sid)
        return FloworkError(
            ErrorCode.RATE_LIMITED,
            f"At most {PER_SECOND:g} events a second on one connection.",
            retry_after=wait,
        )

    def _pass_on(
        self, sign_in: SignIn, event: str, payload: dict[str, Any], role: Role, passing: Passing
    ) -> None:
        page = self._pages.find(sign_in.page)
        if page is None:
            raise FloworkError(ErrorCode.UNAUTHENTICATED, "This connection is closing.")
        token, share = payload.get("share_token"), None
        if isinstance(token, str) and token:
            link, share = self._visited(event, payload, token)
            self._pages.visit(page, link.engine_id, token)
        else:
            choice = self._choice.choose(sign_in.address, payload.get("target_engine_id"), page.latest)
            _require(choice, event, role)
            link = choice.link
        if self._server.room_for(ENGINES, link.sid) <= 0:
            raise FloworkError(
                ErrorCode.RATE_LIMITED, "The engine has more to do than it can take.", retry_after=1
            )
        engine_id = passing.engine = link.engine_id
        self._meter.admit_message(sign_in.address, engine_id)
        self._pages.involve(page, link.engine_id, latest=share is None)
        max_bytes, trace = self._max_bytes, passing.traceparent
        frame = command_of(page.sign_in, event, payload, share=share, max_bytes=max_bytes, traceparent=trace)
        told = frame.model_dump(exclude_none=True)
        receipt = self._server.ask(ENGINES, link.sid, COMMAND, told, seconds=ENGINE_SECONDS)
        if not isinstance(receipt, dict) or receipt.get("ok") is not True:
            raise FloworkError(
                ErrorCode.ENGINE_UNAVAILABLE, "The engine cannot take this command.", retry_after=5
            )
        self._relayed("to_engine", 1)
        if passing.run:
            # What only looks is told where somebody looks closely: pages ask for the state of a run all the time.
            level = logging.DEBUG if role is Role.READER else logging.INFO
            facts = {"command": event, "engine_id": engine_id, "run": passing.run}
            _log.log(level, "passed a command on", extra=facts)
        if event in STARTS:
            job_id = payload.get("job_id")
            self._meter.note_run(sign_in.address, engine_id, job_id if isinstance(job_id, str) else None)

    def _visited(self, event: str, payload: dict[str, Any], token: str) -> tuple[Link, RelayShare]:
        """Return the link to the engine that a share link leads to, if that allows the command."""
        visit = self._visits.find(token)
        if not isinstance(payload.get("envelope"), str):
            check_visit(visit.level, visit.preset, event, payload)
        link = self._choice.live_link(visit.engine_id)
        if link is None:
            message = "The engine of this share link is not connected to the Gateway."
            raise FloworkError(ErrorCode.ENGINE_UNAVAILABLE, message, retry_after=5)
        return link, visit.share

    def _share_of(self, page: Page, engine_id: str) -> RelayShare | None:
        try:
            return self._visits.find(page.visits[engine_id]).share if engine_id in page.visits else None
        except FloworkError:
            return None

    def _introduce(self, page: Page, link: Link | None) -> None:
        if link is None or self._server.room_for(ENGINES, link.sid) <= 0:
            return
        self._pages.involve(page, link.engine_id, latest=False)
        try:
            frame = RelayOpen(
                session=page.sign_in.page,
                auth=auth_of(page.sign_in),
                max_bytes=self._max_bytes,
                runs=page.runs_of(link.engine_id),
                share=self._share_of(page, link.engine_id),
            )
        except ValidationError:
            return
        self._server.publish(ENGINES, OPEN, frame.model_dump(exclude_none=True), link.sid)


def _require(choice: Choice, event: str, role: Role) -> None:
    if choice.role < role:
        raise FloworkError(
            ErrorCode.FORBIDDEN,
            f"{event} needs the role {role.name.lower()}; yours on this engine is {choice.role.name.lower()}.",
            details={"required_role": role.name.lower()},
        )


def _well_formed(data: dict[str, Any]) -> bool:
    """Tell whether pages read the data as it is meant: a member ``payload`` is an envelope's."""
    return "payload" not in data or (data.get("v") == VERSION and isinstance(data["payload"], dict))
