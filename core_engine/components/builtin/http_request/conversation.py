"""Several exchanges that are one step: signing in, asking again when the server is busy, following pages."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from yarl import URL

from core_engine.components.builtin.http_request.answer import HttpAnswer, pick
from core_engine.components.builtin.http_request.body import texts
from core_engine.components.builtin.http_request.config import HttpConfig
from core_engine.components.builtin.http_request.exchange import Exchange, Target, checked_url
from core_engine.components.builtin.http_request.tokens import TokenCache
from core_engine.components.network import NetworkPolicy
from core_engine.kernel.context import Context
from shared.errors import ErrorCode, FloworkError

_BUSY = frozenset({429, 503})


def _now() -> datetime:
    return datetime.now(UTC)


class Conversation:
    """All requests of one step. Raises FloworkError as `Exchange.run` does."""

    def __init__(
        self, config: HttpConfig, network: NetworkPolicy, context: Context, tokens: TokenCache,
        now: Callable[[], datetime] = _now,
    ) -> None:  # fmt: skip
        self._config = config
        self._context = context
        self._tokens = tokens
        self._now = now
        self._exchange = Exchange(config, network, context)

    async def run(self) -> HttpAnswer:
        """Return the answer; of several pages the last one, with the items of all as its body."""
        config = self._config
        url = checked_url(config.url).update_query(texts(config.query))
        if config.paging == "none":
            return await self._ask(url)
        if config.paging == "page_number":
            url = url.update_query({config.page_parameter: str(config.first_page)})
        origin = url.origin()
        items: list[Any] = []
        size = number = 0
        while True:
            answer = await self._ask(url)
            if answer.status >= 400:
                return answer
            number += 1
            size += answer.size_bytes
            found = _items(answer.body, config.items_path)
            items += found
            following = self._next(url, answer, number, found)
            if following is None or number >= config.max_pages:
                more = following is not None
                return replace(answer, body=items, size_bytes=size, pages=number, more_pages=more)
            url = following
            if url.origin() != origin:
                raise FloworkError(
                    ErrorCode.FORBIDDEN, "The next page is on another server; it was not asked."
                )

    def _next(self, url: URL, answer: HttpAnswer, number: int, found: list[Any]) -> URL | None:
        config = self._config
        if config.paging == "page_number":
            page = config.first_page + number
            return url.update_query({config.page_parameter: str(page)}) if found else None
        where: Any
        if config.paging == "link_header":
            where = _next_link(answer.headers.get("link", ""))
        else:
            where = pick(answer.body, config.next_path)
        if isinstance(where, bool) or not isinstance(where, str | int) or where == "":
            return None
        if config.paging == "cursor":
            return url.update_query({config.page_parameter: str(where)})
        try:
            named = url.join(URL(str(where)))
        except ValueError as error:
            raise FloworkError(
                ErrorCode.COMPONENT_FAILED, "The address of the next page is not valid."
            ) from error
        return checked_url(str(named)) if named != url else None

    async def _ask(self, url: URL) -> HttpAnswer:
        config = self._config
        key = self._context.idempotency_key if config.after_crash == "key" else None
        renewed = False
        attempt = 0
        while True:
            token = await self._tokens.get(config, self._fetch_token) if config.auth == "oauth2" else None
            answer = await self._exchange.run(Target(url, token), key)
            if answer.status == 401 and token is not None and not renewed:
                self._tokens.forget(config)
                renewed = True
                continue
            wait = self._wait(answer, attempt) if answer.status in _BUSY else None
            if wait is None:
                return answer
            attempt += 1
            self._context.log(f"The server is busy ({answer.status}); asking again in {wait:.1f} s.", "WARN")
            await asyncio.sleep(wait)

    def _wait(self, answer: HttpAnswer, attempt: int) -> float | None:
        """Return the seconds to wait before asking again, None to give up."""
        if attempt >= self._config.retries:
            return None
        asked = _retry_after(answer.headers.get("retry-after", ""), self._now())
        most = self._config.retry_wait_seconds
        if asked is None:
            return min(most, 0.5 * float(2**attempt))
        return asked if asked <= most else None

    async def _fetch_token(self) -> Any:
        answer = await self._exchange.fetch_token()
        if answer.status >= 400:
            raise FloworkError(
                ErrorCode.COMPONENT_FAILED, f"The token address answered {answer.status} {answer.reason}."
            )
        return answer.body


def _items(body: Any, path: str) -> list[Any]:
    found = pick(body, path) if path else body
    if found is None:
        return []
    return found if isinstance(found, list) else [found]


def _next_link(header: str) -> str | None:
    """Return the address with rel=next of a Link header (RFC 8288)."""
    for part in header.split("<")[1:]:
        address, closed, parameters = part.partition(">")
        relations = [
            words.partition("=")[2].strip(' "').lower().split()
            for words in parameters.rstrip(", ").split(";")
            if words.partition("=")[0].strip().lower() == "rel"
        ]
        if closed and any("next" in words for words in relations):
            return address.strip()
    return None


def _retry_after(header: str, now: datetime) -> float | None:
    """Return the seconds of a Retry-After header, a number or a date (RFC 9110 §10.2.3)."""
    if not header:
        return None
    try:
        seconds = float(header)
    except ValueError:
        pass
    else:
        return seconds if math.isfinite(seconds) and seconds >= 0 else None
    try:
        until = parsedate_to_datetime(header)
    except ValueError:
        return None
    wait: float = ((until if until.tzinfo else until.replace(tzinfo=UTC)) - now).total_seconds()
    return max(0.0, wait)
