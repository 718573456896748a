"""The REST shape of sharing engines, in both documented spellings (protocol §1.2, §11.2)."""

from __future__ import annotations

from gateway.context import Context
from gateway.resources.engine_shares.service import EngineShares
from gateway.web.routing import Answer, route
from shared.contract import sharing as s
from shared.contract.engine import Message


class Routes:
    """Answers the operations of sharing."""

    def __init__(self, context: Context) -> None:
        self._shares = EngineShares(
            context.database,
            context.clock,
            context.presence,
            context.links,
            context.gui,
            context.billing.limits,
            context.names,
        )

    @route(s.LIST_SHARED_ENGINES)
    def shared_engines(self, caller: str) -> list[s.SharedEngine]:
        """List what others share with the caller."""
        return self._shares.shared_with(caller)

    @route(s.LIST_ENGINE_SHARES)
    def engine_shares(self, caller: str, engine_id: str) -> list[s.EngineShare]:
        """List an engine's guests."""
        return self._shares.listing(caller, engine_id)

    @route(s.LIST_SHARES)
    def shares(self, caller: str, engine_id: str) -> list[s.EngineShare]:
        """List an engine's guests."""
        return self._shares.listing(caller, engine_id)

    @route(s.SHARE_ENGINE)
    def share_engine(self, caller: str, body: s.ShareEngineBody, engine_id: str) -> Answer:
        """Share an engine."""
        return self._shared(caller, body, engine_id)

    @route(s.ADD_SHARE)
    def add_share(self, caller: str, body: s.ShareEngineBody, engine_id: str) -> Answer:
        """Share an engine."""
        return self._shared(caller, body, engine_id)

    @route(s.UNSHARE_ENGINE)
    def unshare_engine(self, caller: str, engine_id: str, share_id: str) -> Message:
        """End a share."""
        return self._ended(caller, engine_id, share_id)

    @route(s.REMOVE_SHARE)
    def remove_share(self, caller: str, engine_id: str, share_id: str) -> Message:
        """End a share."""
        return self._ended(caller, engine_id, share_id)

    @route(s.DELETE_SHARE)
    def delete_share(self, caller: str, body: s.RemoveShareBody, engine_id: str) -> Message:
        """End a share."""
        return self._ended(caller, engine_id, body.share_id)

    def _shared(self, caller: str, body: s.ShareEngineBody, engine_id: str) -> Answer:
        added, is_new = self._shares.share(caller, engine_id, body)
        return Answer(201 if is_new else 200, added)

    def _ended(self, caller: str, engine_id: str, share_id: str) -> Message:
        self._shares.unshare(caller, engine_id, share_id)
        return Message(message="The share was ended.")
