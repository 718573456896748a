"""The REST shape of the marketplace (protocol §1.6)."""

from __future__ import annotations

from gateway.context import Context
from gateway.resources.marketplace.service import Marketplace
from gateway.web.routing import route
from shared.contract import marketplace as m
from shared.errors import ErrorCode, FloworkError

CAPSULE = "capsule"


class Routes:
    """Answers the operations of the marketplace."""

    def __init__(self, context: Context) -> None:
        self._market = Marketplace(context.database, context.clock, context.admins)

    @route(m.LIST_ITEMS)
    def items(self, query: m.ListQuery) -> list[m.MarketItem] | m.MarketItems:
        """List items; the documented client wants another shape for one type."""
        found = self._market.listing(query.type)
        return m.MarketItems(items=found) if query.type == CAPSULE else found

    @route(m.GET_ITEM)
    def item(self, item_id: str, query: m.ItemQuery) -> m.MarketItemDetail:
        """Show an item."""
        return self._market.item(item_id, query.version)

    @route(m.PUBLISH_ITEM)
    def publish(self, caller: str, body: m.PublishBody) -> m.Published:
        """Publish an item."""
        return self._market.publish(caller, body)

    @route(m.VOTE)
    def vote(self, caller: str, body: m.VoteBody) -> m.Voted:
        """Count a vote."""
        self._market.vote(caller, body.itemId, body.voteType)
        return m.Voted(message="Your vote counts.", newVoteStatus=body.voteType)

    @route(m.DELETE_ITEM)
    def delete(self, caller: str, body: m.DeleteItemBody) -> m.ItemDeleted:
        """Delete an item."""
        self._market.delete(caller, body.id)
        return m.ItemDeleted(message="The item was deleted.")

    @route(m.INSTALL_COMPONENT)
    def install(self, caller: str, body: m.InstallBody) -> m.ItemDeleted:
        """Explain who installs components."""
        del caller, body
        raise FloworkError(
            ErrorCode.NOT_IMPLEMENTED,
            "The gateway installs nothing on engines. Send the component's archive to your engine with the command "
            "install_component, signed by its owner.",
        )
