"""How requests of the openai library travel: over connections that the engine's network rules allow, nothing else.

Imported only when a model is asked, because the library's HTTP layer is large.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import httpx2
from typing_extensions import override

from core_engine.components.network import NetworkPolicy
from shared.errors import ErrorCode, FloworkError

_KEPT_HEADERS = ("accept", "content-type")
_DROPPED = frozenset({"content-encoding", "content-length", "transfer-encoding", "connection", "set-cookie"})


class GuardedTransport(httpx2.AsyncBaseTransport):
    """Sends each request with aiohttp. Every address is judged at the moment it is dialled.

    Only headers this class knows are sent, so nothing of the machine's environment leaves it. ``refusal`` is the
    error of the network rules, which the library would hide.
    """

    def __init__(self, network: NetworkPolicy, api_key: str, most_bytes: int) -> None:
        self._network = network
        self._api_key = api_key
        self._most_bytes = most_bytes
        self._session: aiohttp.ClientSession | None = None
        self.refusal: FloworkError | None = None

    @override
    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request and return its answer, whose body is read piece by piece."""
        headers = {name: request.headers[name] for name in _KEPT_HEADERS if name in request.headers}
        headers |= {"User-Agent": "Flowork", "Accept-Encoding": "gzip, deflate"}
        if self._api_key:
            headers["Authorization"] = f"Bearer {self._api_key}"
        body = await request.aread()
        try:
            response = await self._open().request(
                request.method, str(request.url), headers=headers, data=body, allow_redirects=False
            )
        except FloworkError as error:
            self.refusal = error
            raise httpx2.ConnectError(error.message, request=request) from error
        except (aiohttp.ClientError, OSError) as error:
            raise httpx2.ConnectError(str(error), request=request) from error
        kept = [(name, value) for name, value in response.headers.items() if name.lower() not in _DROPPED]
        return httpx2.Response(response.status, headers=kept, stream=_Body(self, response, self._most_bytes))

    @override
    async def aclose(self) -> None:
        if self._session:
            await self._session.close()

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(
                socket_factory=self._network.open_socket,
                happy_eyeballs_delay=None,  # one address after the other: a refused one ends the request
                use_dns_cache=False,
                limit=4,
            )
            self._session = aiohttp.ClientSession(
                connector=connector,
                timeout=aiohttp.ClientTimeout(total=None),  # the caller's deadline covers the whole call
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=False,
            )
        return self._session


class _Body(httpx2.AsyncByteStream):
    """An answer's body, decompressed, up to a limit."""

    def __init__(
        self, transport: GuardedTransport, response: aiohttp.ClientResponse, most_bytes: int
    ) -> None:
        self._transport = transport
        self._response = response
        self._left = most_bytes

    @override
    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._response.content.iter_any():
                self._left -= len(chunk)  # already decompressed, so a small bomb counts with its full size
                if self._left < 0:
                    self._transport.refusal = FloworkError(
                        ErrorCode.TOO_LARGE, "The model's endpoint answers more than is taken."
                    )
                    raise httpx2.ReadError("too large")
                yield chunk
        except (aiohttp.ClientError, OSError) as error:
            raise httpx2.ReadError(f"the connection broke: {error}") from error

    @override
    async def aclose(self) -> None:
        self._response.close()
