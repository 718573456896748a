"""The namespace of engines, ``/engine-socket`` (protocol §3.3)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gateway.auth.engine_token import REFUSAL, EngineTokens
from gateway.auth.service_key import ServiceKey
from gateway.realtime import frames
from gateway.realtime.engine_links import NAMESPACE
from gateway.realtime.gui_channel import GuiChannel
from gateway.realtime.owner_records import OwnerRecords
from gateway.realtime.presence import Presence
from gateway.realtime.relay import Relay
from gateway.realtime.seen_log import SeenLog
from gateway.realtime.server import SocketServer
from gateway.realtime.steadiness import Steadiness
from gateway.resources.engines.queries import EngineRow
from shared.contract.engine import EngineAuthSuccess, EngineReady, GuiVitals, LinkVitals
from shared.contract.relay import EVENTS
from shared.errors import ErrorCode, FloworkError
from shared.signing.keys import checksum_address

_log = logging.getLogger(__name__)


class EngineEndpoint:
    """Admits engines by their token, keeps their presence and passes on their vitals.

    What is known of a connection is its engine's row, as it was when the token was checked.
    """

    namespace = NAMESPACE

    def __init__(  # noqa: PLR0913 - keywords only
        self,
        *,
        server: SocketServer,
        tokens: EngineTokens,
        service_key: ServiceKey,
        presence: Presence,
        gui: GuiChannel,
        relay: Relay,
        seen: SeenLog,
        owners: OwnerRecords,
        steadiness: Steadiness,
    ) -> None:
        self._server = server
        self._tokens = tokens
        self._service_key = service_key
        self._presence = presence
        self._gui = gui
        self._relay = relay
        self._seen = seen
        self._owners = owners
        self._steadiness = steadiness
        self._events: Mapping[str, Callable[[str, str, dict[str, Any]], dict[str, Any] | None]] = {
            "engine_ready": self._ready,
            "engine_vitals_update": self._vitals,
            "core:ping": self._ping,
            EVENTS: self._relayed,
        }

    def accept(self, sid: str, environ: dict[str, Any], auth: Any) -> EngineRow:
        """Return the engine that the token proves; otherwise say ``auth_failed`` and refuse.

        Where the token could not be looked at, nothing is said of it: the engine tries again soon.
        """
        try:
            return self._authenticate(environ, auth)
        except FloworkError as error:
            if error.code is not ErrorCode.UNAUTHENTICATED:
                raise
            _log.info("refused an engine", extra={"reason": error.code.value})
            self._server.publish(NAMESPACE, "auth_failed", {"error": REFUSAL}, sid)
            raise FloworkError(ErrorCode.UNAUTHENTICATED, REFUSAL) from error

    def _authenticate(self, environ: dict[str, Any], auth: Any) -> EngineRow:
        engine_id, token = _credentials(environ, auth)
        if not self._service_key.admits(environ.get("HTTP_X_API_KEY", "")):
            raise FloworkError(ErrorCode.UNAUTHENTICATED, "The service key is missing or wrong.")
        return self._tokens.authenticate(engine_id, token)

    def joined(self, sid: str, known: EngineRow) -> None:
        """Make this the engine's link, in place of an older one."""
        replaced = self._presence.connect(known.id, sid)
        if replaced is not None:
            _log.warning("a second link of an engine replaces the first", extra={"engine_id": known.id})
            self._server.drop(NAMESPACE, replaced.sid)
        # A token that was reset while this link was being opened did not find it to close.
        if not self._tokens.is_current(known):
            self._server.drop(NAMESPACE, sid)
            return
        self._seen.note(known.id)
        owner = checksum_address(known.owner_address) if known.owner_address else None
        self._server.publish(NAMESPACE, "auth_success", EngineAuthSuccess(user_id=owner).model_dump(), sid)

    def receive(self, sid: str, known: EngineRow, event: str, args: Sequence[Any]) -> Any:
        """Handle an engine's event; raises UNKNOWN_COMMAND, INVALID_REQUEST, FORBIDDEN or CONFLICT."""
        handle = self._events.get(event)
        if handle is None:
            raise FloworkError(
                ErrorCode.UNKNOWN_COMMAND, f"Engines send no event of the name {event[:80]!r}."
            )
        payload = frames.open_either(args)
        if payload.get("engine_id", known.id) != known.id:
            _log.warning("dropped an event that names another engine", extra={"engine_id": known.id})
            raise FloworkError(ErrorCode.FORBIDDEN, "The event names another engine than this link's.")
        if not self._presence.hear(known.id, sid):
            raise FloworkError(ErrorCode.CONFLICT, "A newer link of this engine has replaced this one.")
        self._seen.note(known.id)
        self._steadiness.heard(known.id)
        return handle(known.id, sid, payload) or {"ok": True}

    def left(self, sid: str, known: EngineRow | None) -> None:
        """Show the engine as offline, unless a newer link took over."""
        if known is not None and self._presence.disconnect(known.id, sid):
            self._steadiness.left(known.id)
            self._seen.forget(known.id)

    def _ready(self, engine_id: str, sid: str, payload: dict[str, Any]) -> None:
        ready = frames.read(EngineReady, payload)
        current = self._presence.announce(
            engine_id, sid
        )  # first: what follows asks the database, which may be busy
        self._owners.reconcile(engine_id, ready.user_id)
        if current:
            self._steadiness.came(engine_id)
            self._relay.engine_up(engine_id)

    def _vitals(self, engine_id: str, sid: str, payload: dict[str, Any]) -> None:
        sent = frames.read(LinkVitals, payload)
        vitals = GuiVitals(
            cpu_percent=sent.cpu_percent, memory_percent=sent.memory_percent, is_busy=sent.is_busy
        )
        if self._presence.hear(engine_id, sid, vitals):
            self._gui.announce_vitals(engine_id, vitals)

    def _relayed(self, engine_id: str, sid: str, payload: dict[str, Any]) -> dict[str, Any]:
        del sid
        return self._relay.deliver(engine_id, payload)

    def _ping(self, engine_id: str, sid: str, payload: dict[str, Any]) -> None:
        """Any event is a sign of life; this one is nothing else."""


def _credentials(environ: dict[str, Any], auth: Any) -> tuple[str, str]:
    given = auth if isinstance(auth, dict) else {}
    engine_id, token = given.get("engine_id"), given.get("token")
    header = environ.get("HTTP_AUTHORIZATION", "")
    if not isinstance(engine_id, str) or not isinstance(token, str) or not token:
        raise FloworkError(ErrorCode.UNAUTHENTICATED, REFUSAL)
    if header and header != f"Bearer {token}":
        raise FloworkError(ErrorCode.UNAUTHENTICATED, REFUSAL)
    return engine_id, token
