"""What the gateway asks of a connected engine."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from gateway.realtime.presence import Presence
from gateway.realtime.server import SocketServer
from shared.contract.engine import EngineClaim, EngineClaimResult
from shared.errors import ErrorCode, FloworkError

NAMESPACE = "/engine-socket"
CLAIM_SECONDS = 8.0


class EngineLinks:
    """The open links of engines, addressed by engine id."""

    def __init__(self, server: SocketServer, presence: Presence) -> None:
        self._server = server
        self._presence = presence

    def close(self, engine_id: str) -> None:
        """Close an engine's link, if it has one."""
        link = self._presence.find(engine_id)
        if link is not None:
            self._server.drop(NAMESPACE, link.sid)

    def ask_claim(self, engine_id: str, address: str, proof: str) -> EngineClaimResult:
        """Have an engine judge a claim; raises ENGINE_UNAVAILABLE."""
        link = self._presence.find(engine_id)
        if link is None:
            raise FloworkError(
                ErrorCode.ENGINE_UNAVAILABLE,
                "The engine is not connected; start it, then claim it again.",
                retry_after=5,
            )
        request = EngineClaim(address=address, proof=proof).model_dump()
        answer = self._server.ask(NAMESPACE, link.sid, "engine_claim", request, seconds=CLAIM_SECONDS)
        return _verdict(answer)

    def refresh_guests(self, engine_id: str) -> None:
        """Have an engine fetch its list of guests anew, if it is connected."""
        link = self._presence.find(engine_id)
        if link is not None:
            self._server.publish(NAMESPACE, "force_refresh_auth_list", {}, link.sid)

    def announce_disabled(self) -> None:
        """Have every connected engine fetch anew which components it must not run."""
        self._server.emit("disabled_components_changed", {}, namespace=NAMESPACE)

    def ask(self, engine_id: str, event: str, data: dict[str, Any], *, seconds: float) -> Any:
        """Send an engine an event and return its acknowledgement; raises ENGINE_UNAVAILABLE."""
        link = self._presence.find(engine_id)
        if link is None:
            message = f"Engine {engine_id} is not connected to the Gateway."
            raise FloworkError(ErrorCode.ENGINE_UNAVAILABLE, message, retry_after=5)
        return self._server.ask(NAMESPACE, link.sid, event, data, seconds=seconds)


def _verdict(answer: Any) -> EngineClaimResult:
    try:
        return EngineClaimResult.model_validate(answer)
    except ValidationError as error:
        raise FloworkError(
            ErrorCode.ENGINE_UNAVAILABLE, "The engine gave no answer that this gateway understands."
        ) from error
