"""The REST shape of share links (protocol §1.3)."""

from __future__ import annotations

from flask import Request

from gateway.context import Context
from gateway.realtime.engine_calls import EngineCalls
from gateway.realtime.engine_choice import EngineChoice
from gateway.resources.workflow_shares.service import ShareLinks
from gateway.web.routing import route
from shared.contract import share_link as s


class Routes:
    """Answers the operations of share links."""

    def __init__(self, context: Context) -> None:
        calls = EngineCalls(context.links, EngineChoice(context.database, context.presence))
        self._links = ShareLinks(
            context.database,
            context.clock,
            context.share_tokens,
            calls,
            context.presence,
            context.billing.limits,
        )
        self._public_url = context.public_url

    @route(s.LIST_LINKS)
    def share_links(self, caller: str, preset: str, request: Request) -> list[s.ShareLink]:
        """List the links to a workflow."""
        return self._links.listing(caller, preset, _wanted(request), self._origin(request))

    @route(s.CREATE_LINK)
    def create_link(
        self, caller: str, body: s.CreateLinkBody, preset: str, request: Request
    ) -> s.CreatedLink:
        """Make a link."""
        return self._links.create(caller, preset, body, _wanted(request), self._origin(request))

    @route(s.CHANGE_LINK)
    def change_link(self, caller: str, body: s.ChangeLinkBody, share_id: str) -> s.ChangedLink:
        """Change or sign a link."""
        return self._links.change(caller, share_id, body)

    @route(s.DELETE_LINK)
    def delete_link(self, caller: str, share_id: str) -> s.DeletedLink:
        """End a link."""
        self._links.delete(caller, share_id)
        return s.DeletedLink(message="The link was ended.")

    @route(s.RESOLVE_LINK)
    def resolve_link(self, token: str) -> s.ResolvedLink:
        """Tell where a link leads."""
        return self._links.resolve(token)

    def _origin(self, request: Request) -> str:
        # Only the caller sees it, who has sent the host's name himself.
        return self._public_url or f"{request.scheme}://{request.host}"


def _wanted(request: Request) -> str | None:
    return request.headers.get("X-Flowork-Engine-ID")
