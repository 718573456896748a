"""What answers a request, and the plain way to send JSON that is there in one piece."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol

from flask import Response
from werkzeug.http import HTTP_STATUS_CODES

JSON = "application/json"
NO_BODY = frozenset({204, 304})

Header = tuple[str, str]


class Reply(Protocol):
    """An answer that can be sent: Flask's `Response`, or one that takes less to make."""

    @property
    def status_code(self) -> int:
        """Its status."""
        ...

    @property
    def headers(self) -> Iterable[Header]:
        """Its own headers."""
        ...

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Send it, as a WSGI application does."""
        ...


class Written:
    """JSON with its length, which leads nowhere else: it is sent as it stands."""

    __slots__ = ("_body", "headers", "status_code")

    def __init__(self, body: bytes, status: int) -> None:
        self._body = body
        self.status_code = status
        self.headers = [("Content-Type", JSON), ("Content-Length", str(len(body)))]

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Send it, as a WSGI application does."""
        status = self.status_code
        if environ["REQUEST_METHOD"] == "HEAD" or status in NO_BODY:
            return Response(self._body, status, content_type=JSON)(environ, start_response)
        start_response(f"{status} {HTTP_STATUS_CODES[status].upper()}", self.headers)
        return [self._body]
