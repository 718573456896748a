"""Fetches lists from the gateway whenever they may have changed: who may use the engine (protocol §1.5)."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import aiohttp

from core_engine.gateway_link.backoff import Backoff
from shared.errors import FloworkError

_log = logging.getLogger(__name__)

PATH = "/api/v1/engine/get-engine-auth-info?grants=1"
TIMEOUT_SECONDS = 10
MAX_BYTES = 4 * 1024 * 1024


class GuestFetcher:
    """Fetches the list on demand and tries again until it has it."""

    def __init__(  # noqa: PLR0913 - keywords but for the first three
        self,
        http: aiohttp.ClientSession,
        gateway_url: str,
        headers: Mapping[str, str],
        *,
        take: Callable[[Any], Awaitable[None]],
        backoff: Backoff,
        path: str = PATH,
    ) -> None:
        self._http = http
        self._url = gateway_url + path
        self._headers = headers
        self._take = take
        self._backoff = backoff
        self._wanted = asyncio.Event()

    def request(self) -> None:
        """Have the list fetched now."""
        self._wanted.set()

    async def run(self) -> None:
        """Fetch whenever it is asked for, until cancelled."""
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            if await self._fetch():
                self._backoff.reset()
            else:
                await asyncio.sleep(self._backoff.next())
                self._wanted.set()

    async def _fetch(self) -> bool:
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                await self._take(await self._read())
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError, FloworkError) as error:
            _log.warning(
                "could not fetch a list from the gateway",
                extra={"url": self._url, "reason": str(error) or type(error).__name__},
            )
            return False
        return True

    async def _read(self) -> Any:
        # A redirect would carry the engine's token to another host.
        async with self._http.get(self._url, headers=self._headers, allow_redirects=False) as response:
            if response.status != 200:
                raise ValueError(f"the gateway answered {response.status}")
            body = bytearray()
            async for chunk in response.content.iter_chunked(64 * 1024):
                body += chunk
                if len(body) > MAX_BYTES:
                    raise ValueError("the gateway's answer is too large")
        return json.loads(bytes(body))
