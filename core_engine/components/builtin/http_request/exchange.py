"""One exchange with a web server: the request made from settings, the answer read within its limits."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import aiohttp
import msgspec
from multidict import CIMultiDict
from yarl import URL

from core_engine.components.fields import typed_values
from core_engine.components.network import NetworkPolicy
from core_engine.kernel.payload import MAX_DEPTH
from shared.errors import ErrorCode, FloworkError
from shared.signing.strict_json import check_depth

if TYPE_CHECKING:
    from core_engine.components.builtin.http_request.component import HttpConfig

_MAX_REDIRECTS = 10
_OWN_HEADERS = frozenset({"host", "content-length", "transfer-encoding", "connection", "upgrade"})


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What a server answered; ``body`` is parsed JSON, a text, or base64 when it is neither."""

    status: int
    reason: str
    url: str
    headers: dict[str, str]
    body: Any
    size_bytes: int
    elapsed_ms: float = 0.0

    @property
    def url_shown(self) -> str:
        """The address without its query, for log lines."""
        return self.url.partition("?")[0]

    def to_wire(self) -> dict[str, Any]:
        """Return the answer as data of a payload."""
        return asdict(self)


class Exchange:
    """Sends one request. Every address it dials, also after a redirect, is judged at the moment of dialling."""

    def __init__(self, config: HttpConfig, network: NetworkPolicy) -> None:
        self._config = config
        self._network = network
        self._limit = config.max_response_kib * 1024

    async def run(self, idempotency_key: str | None) -> HttpAnswer:
        """Send and read. Raises FloworkError: INVALID_REQUEST, FORBIDDEN, TOO_LARGE, COMPONENT_FAILED."""
        config = self._config
        url = _checked_url(config.url)
        connector = aiohttp.TCPConnector(
            socket_factory=self._network.open_socket,
            happy_eyeballs_delay=None,  # one address after the other: a refused one ends the request
            use_dns_cache=False,
            force_close=True,
            limit=1,
        )
        timeout = aiohttp.ClientTimeout(total=config.timeout_seconds)
        started = time.monotonic()
        try:
            headers = self._headers(idempotency_key)
            async with (
                aiohttp.ClientSession(
                    connector=connector, timeout=timeout, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False
                ) as session,
                session.request(
                    config.method, url.update_query(_texts(config.query)), headers=headers, data=self._body(headers),
                    allow_redirects=config.follow_redirects, max_redirects=_MAX_REDIRECTS,
                ) as response,
            ):  # fmt: skip
                content = await self._read(response)
                return _answer(response, content, (time.monotonic() - started) * 1000)
        except TimeoutError:
            raise _failed(config, f"did not answer within {config.timeout_seconds:g} s") from None
        except aiohttp.TooManyRedirects:
            raise _failed(config, f"redirects more than {_MAX_REDIRECTS} times") from None
        except (aiohttp.ClientError, OSError) as error:
            raise _failed(config, f"failed: {type(error).__name__}: {error}") from error

    def _headers(self, idempotency_key: str | None) -> CIMultiDict[str]:
        config = self._config
        headers = CIMultiDict({"User-Agent": "Flowork", "Accept": "*/*"})
        given = _texts(config.headers)
        for name, value in given.items():
            if name.lower() in _OWN_HEADERS or any(
                ord(sign) < 32 or ord(sign) == 127 for sign in name + value
            ):
                raise FloworkError(ErrorCode.INVALID_REQUEST, f"The header {name!r} cannot be set.")
        headers.update(given)
        if config.auth == "basic":
            pair = f"{config.username}:{config.password}".encode()
            headers["Authorization"] = f"Basic {base64.b64encode(pair).decode()}"
        elif config.auth == "bearer":
            headers["Authorization"] = f"Bearer {config.token}"
        if idempotency_key is not None:
            headers["Idempotency-Key"] = idempotency_key
        return headers

    def _body(self, headers: CIMultiDict[str]) -> bytes | aiohttp.FormData | None:
        config = self._config
        types = {"json": "application/json", "text": "text/plain; charset=utf-8"}
        if config.body_kind in types and "Content-Type" not in headers:
            headers["Content-Type"] = types[config.body_kind]
        match config.body_kind:
            case "json":
                return _json_body(config.body)
            case "text":
                return (config.body if isinstance(config.body, str) else json.dumps(config.body)).encode()
            case "form":
                return aiohttp.FormData(_texts(config.form_fields))
        return None

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        content = bytearray()
        async for chunk in response.content.iter_chunked(64 * 1024):
            content += chunk  # already decompressed, so a small bomb counts with its full size
            if len(content) > self._limit:
                raise FloworkError(
                    ErrorCode.TOO_LARGE, f"The answer is larger than {self._config.max_response_kib} KiB."
                )
        return bytes(content)


def _checked_url(text: str) -> URL:
    try:
        url = URL(text.strip())
    except ValueError as error:
        raise FloworkError(ErrorCode.INVALID_REQUEST, f"The address is not valid: {error}.") from error
    if url.scheme not in {"http", "https"} or not url.host:
        raise FloworkError(
            ErrorCode.INVALID_REQUEST, "The address must start with https:// or http:// and name a host."
        )
    if url.user or url.password:
        raise FloworkError(
            ErrorCode.INVALID_REQUEST, "Put user and password into the settings, not into the address."
        )
    return url


def _texts(values: Any) -> dict[str, str]:
    try:
        typed: Mapping[str, Any] = typed_values(values)
    except ValueError as error:
        raise FloworkError(ErrorCode.INVALID_REQUEST, str(error)) from error
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in typed.items()}


def _json_body(body: Any) -> bytes:
    if not isinstance(body, str):
        return msgspec.json.encode(body)
    try:
        json.loads(body)
    except ValueError as error:
        raise FloworkError(ErrorCode.INVALID_REQUEST, f"The body is not JSON: {error}.") from error
    return body.encode()


def _answer(response: aiohttp.ClientResponse, content: bytes, elapsed_ms: float) -> HttpAnswer:
    return HttpAnswer(
        status=response.status,
        reason=response.reason or "",
        url=str(response.url),
        headers={name.lower(): value for name, value in response.headers.items()},
        body=_parsed(content, response.content_type, response.charset),
        size_bytes=len(content),
        elapsed_ms=round(elapsed_ms, 1),
    )


def _parsed(content: bytes, content_type: str, charset: str | None) -> Any:
    if not content:
        return None
    if content_type == "application/json" or content_type.endswith("+json"):
        try:
            check_depth(content, MAX_DEPTH)
            return msgspec.json.decode(content)
        except (FloworkError, msgspec.DecodeError):
            pass  # not what it claims to be: handed on as a text
    try:
        return content.decode(charset or "utf-8")
    except (UnicodeDecodeError, LookupError):
        return base64.b64encode(content).decode()


def _failed(config: HttpConfig, what: str) -> FloworkError:
    shown = config.url.partition("?")[0]
    return FloworkError(ErrorCode.COMPONENT_FAILED, f"{config.method} {shown} {what}.")
