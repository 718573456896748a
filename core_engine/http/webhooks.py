"""The public part of the HTTP server: ``/webhook/<preset>``, proven by each rule's own secret."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterable
from typing import Any

from aiohttp import web

from core_engine.triggers.webhook import LARGEST_BODY, Call, Reply, WaitDesk, WebhookDesk

PREFIX = "/webhook/"
BODY_SECONDS = 30.0
MOST_HEADERS = 100
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_OURS = frozenset(
    {
        "content-length",
        "transfer-encoding",
        "connection",
        "upgrade",
        "content-security-policy",
        "x-content-type-options",
        "access-control-allow-credentials",
        "set-cookie",
    }
)
_ALWAYS = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox; default-src 'none'"}


class WebhookRoutes:
    """Translates between HTTP and the webhook desk."""

    def __init__(self, desk: WebhookDesk, waits: WaitDesk) -> None:
        self._desk = desk
        self._waits = waits

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Enter the routes."""
        router.add_post("/webhook/resume/{token}", self._resume)
        for path in ("/webhook/{preset}", "/webhook/{preset}/{hook}"):
            router.add_post(path, self._handle)
            router.add_get(path, self._handle, allow_head=False)

    async def _resume(self, request: web.Request) -> web.Response:
        try:
            async with asyncio.timeout(BODY_SECONDS):
                body = await _read(request, LARGEST_BODY)
        except TimeoutError:
            return web.json_response({"error": "The body did not come in time."}, status=408)
        if body is None:
            return web.json_response({"error": "The body is too large."}, status=413)
        kind = request.content_type if "Content-Type" in request.headers else ""
        call = Call("resume", None, request.method, {}, {}, kind, body, None)
        return _response(await self._waits.receive(request.match_info["token"], call))

    async def _handle(self, request: web.Request) -> web.Response:
        preset, hook = request.match_info["preset"], request.match_info.get("hook")
        try:
            async with asyncio.timeout(BODY_SECONDS):
                body = await _read(request, self._desk.body_limit(preset, hook))
        except TimeoutError:
            return web.json_response({"error": "The body did not come in time."}, status=408)
        if body is None:
            return web.json_response({"error": "The body is too large."}, status=413)
        wait = _seconds(request.query.get("wait"))
        query = {
            name: _one(request.query.getall(name)) for name in dict.fromkeys(request.query) if name != "wait"
        }
        headers = {name.lower(): value for name, value in list(request.headers.items())[:MOST_HEADERS]}
        kind = request.content_type if "Content-Type" in request.headers else ""
        call = Call(preset, hook, request.method, headers, query, kind, body, wait)
        return _response(await self._desk.receive(call))


async def _read(request: web.Request, limit: int) -> bytes | None:
    """Return the body; None for one that is larger than the limit."""
    if (request.content_length or 0) > limit:
        return None
    body = bytearray()
    async for piece in request.content.iter_chunked(65_536):
        body += piece
        if len(body) > limit:
            return None
    return bytes(body)


def _response(reply: Reply) -> web.Response:
    headers = {**dict(_sendable(reply.headers.items())), **_ALWAYS}
    kind = headers.pop("content-type", None)
    if isinstance(reply.body, str):
        kind = kind or "text/plain; charset=utf-8"
        return web.Response(
            status=reply.status, body=reply.body.encode(), headers=headers | {"Content-Type": kind}
        )
    content = b"" if reply.status in (204, 304) else json.dumps(reply.body, separators=(",", ":")).encode()
    return web.Response(
        status=reply.status, body=content, headers=headers | {"Content-Type": kind or "application/json"}
    )


def _sendable(headers: Iterable[tuple[str, str]]) -> Iterable[tuple[str, str]]:
    """Yield the headers a workflow may set, names in lower case."""
    for name, value in headers:
        plain = value.isprintable() and value.isascii() and len(value) <= 4096
        if _NAME.fullmatch(name) and name.lower() not in _OURS and plain:
            yield name.lower(), value


def _seconds(text: str | None) -> float | None:
    """Return how long the caller waits; what is no number counts as not said."""
    if text is None or not re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,3})?", text):
        return None
    return float(text)


def _one(values: list[str]) -> Any:
    return values[0] if len(values) == 1 else values
