"""The REST shape of claiming a token (protocol §7.6)."""

from __future__ import annotations

from gateway.context import Context
from gateway.resources.claim_tokens.service import ClaimTokens
from gateway.web.routing import route
from shared.contract import claim_token as c
from shared.contract.proxy import Done


class Routes:
    """Answers the operations of claiming a token."""

    def __init__(self, context: Context) -> None:
        self._tokens = ClaimTokens(context.database, context.clock, context.links)

    @route(c.SELECT_FOR_AUTH)
    def select_for_auth(self, caller: str, body: c.SelectForAuthBody) -> Done:
        """Allow a request."""
        self._tokens.allow(caller, body.request_id, body.engine_id)
        return Done(message="The installation gets its token when it asks next.")

    @route(c.CLAIM_TOKEN)
    def claim_token(self, query: c.ClaimTokenQuery) -> c.ClaimedToken:
        """Hand out a token, once."""
        return self._tokens.fetch(query.req_id)
