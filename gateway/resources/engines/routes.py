"""The REST shape of engines (protocol §1.2, §1.5)."""

from __future__ import annotations

from gateway.context import Context
from gateway.resources.engines.claims import Claims
from gateway.resources.engines.service import Engines
from gateway.web.routing import route
from shared.contract.engine import (
    CLAIM_ENGINE,
    DELETE_ENGINE,
    ENGINE_AUTH_INFO,
    LIST_ENGINES,
    REGISTER_ENGINE,
    RESET_ENGINE_TOKEN,
    UPDATE_ENGINE_NAME,
    AuthInfoQuery,
    ClaimBody,
    ClaimedEngine,
    Engine,
    EngineGuests,
    EngineNameBody,
    EngineToken,
    Message,
    RegisteredEngine,
)


class Routes:
    """Answers the operations of engines."""

    def __init__(self, context: Context) -> None:
        parts = (context.database, context.clock, context.presence, context.links, context.gui)
        self._engines = Engines(*parts, context.billing.limits)
        self._claims = Claims(*parts)

    @route(LIST_ENGINES)
    def list_engines(self, caller: str) -> list[Engine]:
        """List the caller's engines."""
        return self._engines.owned_by(caller)

    @route(REGISTER_ENGINE)
    def register_engine(self, caller: str, body: EngineNameBody) -> RegisteredEngine:
        """Register an engine."""
        return self._engines.register(caller, body.name)

    @route(DELETE_ENGINE)
    def delete_engine(self, caller: str, engine_id: str) -> Message:
        """Delete an engine."""
        self._engines.delete(caller, engine_id)
        return Message(message="The engine was deleted.")

    @route(RESET_ENGINE_TOKEN)
    def reset_engine_token(self, caller: str, engine_id: str) -> EngineToken:
        """Give an engine a new token."""
        return self._engines.reset_token(caller, engine_id)

    @route(UPDATE_ENGINE_NAME)
    def update_engine_name(self, caller: str, body: EngineNameBody, engine_id: str) -> Message:
        """Rename an engine."""
        self._engines.rename(caller, engine_id, body.name)
        return Message(message="The engine was renamed.")

    @route(CLAIM_ENGINE)
    def claim_engine(self, caller: str, body: ClaimBody) -> ClaimedEngine:
        """Claim a bundled engine."""
        return self._claims.claim(caller, body.engine_id, body.proof)

    @route(ENGINE_AUTH_INFO)
    def engine_auth_info(self, caller: str, query: AuthInfoQuery) -> list[str] | EngineGuests:
        """List who may use the calling engine."""
        addresses = self._engines.authorised(caller)
        if not query.grants:
            return addresses
        return EngineGuests(addresses=addresses, grants=self._engines.grants(caller))
