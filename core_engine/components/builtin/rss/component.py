"""Reads the items of a feed."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

from pydantic import Field
from typing_extensions import override

from core_engine.components.builtin.http_request.config import HttpConfig
from core_engine.components.builtin.http_request.exchange import Exchange, Target, checked_url
from core_engine.components.fields import form
from core_engine.components.network import NetworkPolicy
from core_engine.kernel.component import Component, Config, Execution
from core_engine.kernel.context import Context
from core_engine.kernel.payload import Payload, Result
from shared.errors import ErrorCode, FloworkError


class RssConfig(Config):
    """Which feed, and how much of it."""

    url: str = Field(
        min_length=1, max_length=8000, description="Address of an RSS or Atom feed.",
        json_schema_extra=form(placeholder="https://example.com/feed.xml"),
    )  # fmt: skip
    limit: int = Field(50, ge=1, le=1000, description="Most items that are handed on, the newest first.")
    with_content: bool = Field(
        True, description="Hand on the items' whole content, too, when the feed has it."
    )
    timeout_seconds: float = Field(30.0, gt=0, le=600, description="Longest time it may take, in seconds.")
    max_kib: int = Field(
        8192, ge=1, le=65_536, title="Largest feed (KiB)", description="A larger feed is refused, in KiB."
    )


class Rss(Component[RssConfig]):
    """Reads a feed."""

    id = "rss"
    name = "Feed (RSS, Atom)"
    description = (
        "Reads the newest items of an RSS or Atom feed; put a dedupe step behind it to see each only once."
    )
    category = "Network"
    execution = Execution.ASYNC
    config_model = RssConfig

    def __init__(self, network: NetworkPolicy) -> None:
        self._network = network

    @override
    async def execute(self, context: Context, config: RssConfig, payload: Payload) -> Result:
        """Return ``title``, ``link``, ``items`` and ``count``.

        Each item has ``id`` (stable: the feed's own id, else its link, else its title), ``title``, ``link``,
        ``published`` (ISO 8601 in UTC, or null), ``author``, ``summary``, ``tags`` and, if wanted, ``content``.
        HTML in it is cleaned of scripts.
        """
        request = HttpConfig(
            url=config.url,
            timeout_seconds=config.timeout_seconds,
            max_response_kib=config.max_kib,
            response="base64",
        )
        answer = await Exchange(request, self._network, context).run(Target(checked_url(config.url)))
        if answer.status >= 400:
            raise FloworkError(
                ErrorCode.COMPONENT_FAILED, f"{answer.url_shown} answered {answer.status} {answer.reason}."
            )
        content = base64.b64decode(answer.body)
        headers = {
            "content-type": answer.headers.get("content-type", ""), "content-location": answer.url
        }  # fmt: skip
        data = await asyncio.to_thread(_read, content, headers, config)
        context.log(f"{answer.url_shown} has {data['count']} items.")
        return Result.on("success", data, payload.history)

    @override
    async def simulate(self, context: Context, config: RssConfig, payload: Payload) -> Result:
        """Ask nobody; return no items."""
        context.log(f"Simulated: would read the feed {config.url.partition('?')[0]}.")
        data = {"title": "", "link": "", "items": [], "count": 0, "simulated": True}
        return Result.on("success", data, payload.history)


def _read(content: bytes, headers: dict[str, str], config: RssConfig) -> dict[str, Any]:
    from core_engine.components.builtin.rss.feed import read_feed  # noqa: PLC0415 - heavy, only where used

    return read_feed(content, headers, limit=config.limit, with_content=config.with_content)
