"""One exchange with a web server: the request made from settings, the answer read within its limits."""

from __future__ import annotations

import asyncio
import base64
import time
from contextlib import ExitStack
from dataclasses import dataclass

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from core_engine.components.builtin.http_request.answer import HttpAnswer, read_body
from core_engine.components.builtin.http_request.body import make_body, texts
from core_engine.components.builtin.http_request.config import HttpConfig
from core_engine.components.dialling import trusting
from core_engine.components.drafts import Draft
from core_engine.components.network import NetworkPolicy
from core_engine.kernel.context import Context
from shared.errors import ErrorCode, FloworkError

_MAX_REDIRECTS = 10
_CHUNK_BYTES = 256 * 1024
_OWN_HEADERS = frozenset({"host", "content-length", "transfer-encoding", "connection", "upgrade"})
_SECRET_HEADERS = ("Authorization", "Cookie", "Proxy-Authorization")


@dataclass(frozen=True, slots=True)
class Target:
    """Where to send a request, and whether it carries the settings' body; ``token`` is an OAuth2 token."""

    url: URL
    token: str | None = None


@dataclass(slots=True)
class _Hop:
    method: str
    url: URL
    headers: CIMultiDict[str]
    with_body: bool


class Exchange:
    """Sends requests. Every address it dials, also after a redirect, is judged at the moment of dialling."""

    def __init__(self, config: HttpConfig, network: NetworkPolicy, context: Context) -> None:
        self._config = config
        self._network = network
        self._context = context
        self._left = config.max_response_kib * 1024
        self._tls = trusting(config.ca_certificates) if config.ca_certificates.strip() else True

    async def run(self, target: Target, idempotency_key: str | None = None) -> HttpAnswer:
        """Send and read. Raises FloworkError: INVALID_REQUEST, FORBIDDEN, TOO_LARGE, COMPONENT_FAILED."""
        config = self._config
        started = time.monotonic()
        headers = self._headers(idempotency_key, target.token)
        url = target.url
        if config.auth == "api_key" and config.api_key_in == "query":
            url = url.update_query({config.api_key_name: config.api_key})
        try:
            async with asyncio.timeout(config.timeout_seconds), self._session() as session:
                return await self._send(session, _Hop(config.method, url, headers, with_body=True), started)
        except TimeoutError:
            raise self._failed(f"did not answer within {config.timeout_seconds:g} s") from None
        except aiohttp.ClientConnectorCertificateError as error:
            raise self._failed(
                f"failed: the server's certificate is not trusted ({error.certificate_error})"
            ) from error
        except aiohttp.InvalidURL as error:
            raise self._failed("redirects to an address that is not valid") from error
        except aiohttp.ClientConnectorError as error:
            raise self._failed(f"failed: {error.os_error.strerror or type(error).__name__}") from error
        except (aiohttp.ClientError, OSError) as error:
            raise self._failed(f"failed: {type(error).__name__}") from error

    async def fetch_token(self) -> HttpAnswer:
        """Ask the token address (OAuth2 client credentials). Raises as `run`."""
        config = self._config
        fields = {"grant_type": "client_credentials"} | ({"scope": config.scope} if config.scope else {})
        headers = CIMultiDict({"Accept": "application/json"})
        if config.client_in == "header":
            headers["Authorization"] = _basic(config.client_id, config.client_secret)
        else:
            fields |= {"client_id": config.client_id, "client_secret": config.client_secret}
        url = checked_url(config.token_url)
        try:
            async with (
                asyncio.timeout(config.timeout_seconds),
                self._session() as session,
                session.post(url, data=fields, headers=headers, allow_redirects=False) as response,
            ):
                content = await self._read(response)
                return self._answer(response, content, 0, kind="auto")
        except TimeoutError:
            raise FloworkError(
                ErrorCode.COMPONENT_FAILED,
                f"The token address did not answer within {config.timeout_seconds:g} s.",
            ) from None
        except (aiohttp.ClientError, OSError) as error:
            raise FloworkError(
                ErrorCode.COMPONENT_FAILED, f"The token address cannot be asked: {type(error).__name__}."
            ) from error

    def _session(self) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            socket_factory=self._network.open_socket,
            happy_eyeballs_delay=None,  # one address after the other: a refused one ends the request
            use_dns_cache=False,
            force_close=True,
            limit=1,
            ssl=self._tls,
        )
        return aiohttp.ClientSession(
            connector=connector, timeout=aiohttp.ClientTimeout(total=None), trust_env=False,
            cookie_jar=aiohttp.DummyCookieJar(),
        )  # fmt: skip

    async def _send(self, session: aiohttp.ClientSession, hop: _Hop, started: float) -> HttpAnswer:
        for _ in range(_MAX_REDIRECTS + 1):
            with ExitStack() as opened:
                headers = hop.headers.copy()
                body = (
                    make_body(self._config, self._context.files, headers, opened) if hop.with_body else None
                )
                async with session.request(
                    hop.method, hop.url, headers=headers, data=body, allow_redirects=False
                ) as response:
                    where = response.headers.get("Location")
                    if not (
                        self._config.follow_redirects
                        and where
                        and response.status in {301, 302, 303, 307, 308}
                    ):
                        return await self._take(response, started)
                    self._redirect(hop, response.status, where)
        raise self._failed(f"redirects more than {_MAX_REDIRECTS} times")

    def _redirect(self, hop: _Hop, status: int, where: str) -> None:
        """Turn a hop to where the server points; what proves who we are never goes to another server."""
        try:
            url = hop.url.join(URL(where))
        except ValueError:
            raise self._failed("redirects to an address that is not valid") from None
        if url.scheme not in {"http", "https"} or not url.host:
            raise self._failed("redirects to an address that is not of the web")
        if url.origin() != hop.url.origin():
            for name in (*_SECRET_HEADERS, self._config.api_key_name):
                hop.headers.popall(name, None)
        if (status == 303 and hop.method != "HEAD") or (status in {301, 302} and hop.method == "POST"):
            hop.method, hop.with_body = "GET", False
            hop.headers.popall("Content-Type", None)
        hop.url = url.with_user(None)

    async def _take(self, response: aiohttp.ClientResponse, started: float) -> HttpAnswer:
        if self._config.save_to and response.status < 400:
            return await self._save(response, started)
        return self._answer(response, await self._read(response), started, kind=self._config.response)

    async def _save(self, response: aiohttp.ClientResponse, started: float) -> HttpAnswer:
        limit = self._config.max_file_mib * 1024 * 1024
        path = await asyncio.to_thread(self._context.files.writable, self._config.save_to)
        with Draft(path, self._context.idempotency_key) as draft:
            async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
                if draft.size + len(chunk) > limit:
                    raise FloworkError(
                        ErrorCode.TOO_LARGE, f"The file is larger than {self._config.max_file_mib} MiB."
                    )
                await asyncio.to_thread(draft.write, chunk)
            await asyncio.to_thread(draft.commit, overwrite=True)
            return HttpAnswer(
                status=response.status, reason=response.reason or "", url=self._shown(response.url),
                headers=_lowered(response), body=None, size_bytes=draft.size, elapsed_ms=_since(started),
                file={"path": str(path), "sha256": draft.sha256},
            )  # fmt: skip

    def _headers(self, idempotency_key: str | None, token: str | None) -> CIMultiDict[str]:
        config = self._config
        headers = CIMultiDict({"User-Agent": "Flowork", "Accept": "*/*"})
        given = texts(config.headers)
        if config.auth == "api_key" and config.api_key_in == "header":
            given[config.api_key_name] = config.api_key
        for name, value in given.items():
            if name.lower() in _OWN_HEADERS or any(
                ord(sign) < 32 or ord(sign) == 127 for sign in name + value
            ):
                raise FloworkError(ErrorCode.INVALID_REQUEST, f"The header {name!r} cannot be set.")
        headers.update(given)
        if config.auth == "basic":
            headers["Authorization"] = _basic(config.username, config.password)
        elif config.auth in {"bearer", "oauth2"}:
            bearer = token if config.auth == "oauth2" else config.token
            if any(ord(sign) < 32 or ord(sign) == 127 for sign in bearer or ""):
                raise FloworkError(
                    ErrorCode.INVALID_REQUEST, "The token holds signs that no header may hold."
                )
            headers["Authorization"] = f"Bearer {bearer}"
        if idempotency_key is not None:
            headers["Idempotency-Key"] = idempotency_key
        return headers

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        content = bytearray()
        async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
            content += chunk  # already decompressed, so a small bomb counts with its full size
            if len(content) > self._left:
                raise FloworkError(
                    ErrorCode.TOO_LARGE, f"The answer is larger than {self._config.max_response_kib} KiB."
                )
        self._left -= len(content)
        return bytes(content)

    def _answer(
        self, response: aiohttp.ClientResponse, content: bytes, started: float, *, kind: str
    ) -> HttpAnswer:
        kind = "auto" if response.status >= 400 or response.method == "HEAD" else kind
        return HttpAnswer(
            status=response.status, reason=response.reason or "", url=self._shown(response.url),
            headers=_lowered(response), body=read_body(content, kind, response.content_type, response.charset),
            size_bytes=len(content), elapsed_ms=_since(started),
        )  # fmt: skip

    def _shown(self, url: URL) -> str:
        """Return an address without the key it may carry."""
        return (
            str(url.without_query_params(self._config.api_key_name))
            if self._config.auth == "api_key"
            else str(url)
        )

    def _failed(self, what: str) -> FloworkError:
        shown = self._config.url.partition("?")[0]
        return FloworkError(ErrorCode.COMPONENT_FAILED, f"{self._config.method} {shown} {what}.")


def checked_url(text: str) -> URL:
    """Return an address of the web without user and password; raises FloworkError INVALID_REQUEST."""
    try:
        url = URL(text.strip())
    except ValueError as error:
        raise FloworkError(ErrorCode.INVALID_REQUEST, "The address is not valid.") from error
    if url.scheme not in {"http", "https"} or not url.host:
        raise FloworkError(
            ErrorCode.INVALID_REQUEST, "The address must start with https:// or http:// and name a host."
        )
    if url.user or url.password:
        raise FloworkError(
            ErrorCode.INVALID_REQUEST, "Put user and password into the settings, not into the address."
        )
    return url


def _basic(user: str, password: str) -> str:
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"


def _lowered(response: aiohttp.ClientResponse) -> dict[str, str]:
    return {name.lower(): value for name, value in response.headers.items()}


def _since(started: float) -> float:
    return round((time.monotonic() - started) * 1000, 1) if started else 0.0
