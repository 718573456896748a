"""Which web pages may call the gateway from a browser (protocol §1.8)."""

from __future__ import annotations

from typing import Any

from flask import Request, Response

from gateway.settings import Server
from gateway.web.answers import Header

LOCAL_HOSTS = ("localhost", "127.0.0.1")
LOCAL_PORTS = ("5173", "3000", "8000")
PUBLIC_PAGE = "https://flowork.cloud"
METHODS = "GET, POST, PUT, PATCH, DELETE"
HEADERS = (
    "content-type, authorization, x-user-address, x-signed-message, x-signature, x-payload-version, "
    "x-flowork-engine-id, x-gateway-token"
)
EXPOSED = "retry-after"
VARY = ("Vary", "Origin")
PREFLIGHT_SECONDS = "600"


class Origins:
    """The allowed origins: our own, the public page, local development servers, and the configured ones."""

    def __init__(self, settings: Server) -> None:
        given = (part.strip().rstrip("/") for part in settings.allowed_origins.split(","))
        local = (f"http://{host}:{port}" for host in LOCAL_HOSTS for port in LOCAL_PORTS)
        own = (settings.public_url, PUBLIC_PAGE)
        self._allowed = frozenset(origin.lower() for origin in (*given, *local, *own) if origin)

    def allows(self, origin: str | None, environ: dict[str, Any]) -> bool:
        """Tell whether a page of this origin may call; the gateway's own page may, under any name it has.

        That is safe because no answer depends on cookies or on where a request comes from: whoever asks has to
        sign, and a page that was lured to this port has no key.
        """
        if not origin:
            return False
        name = origin.lower()
        own = {f"http://{host}:{environ.get('SERVER_PORT', '')}" for host in LOCAL_HOSTS}
        host = environ.get("HTTP_HOST", "").lower()
        same = bool(host) and name in {f"http://{host}", f"https://{host}"}
        return name in self._allowed or name in own or same

    def preflight(self, request: Request) -> Response | None:
        """Return the answer to a CORS preflight, or None if the request is none."""
        if request.method != "OPTIONS" or "Access-Control-Request-Method" not in request.headers:
            return None
        response = Response(status=204)
        if self.allows(request.headers.get("Origin"), request.environ):
            response.headers["Access-Control-Allow-Methods"] = METHODS
            response.headers["Access-Control-Allow-Headers"] = HEADERS
            response.headers["Access-Control-Max-Age"] = PREFLIGHT_SECONDS
            if request.headers.get("Access-Control-Request-Private-Network") == "true":
                response.headers["Access-Control-Allow-Private-Network"] = "true"
        return response

    def marks(self, request: Request) -> list[Header]:
        """Return the headers that let an allowed page read an answer."""
        origin = request.environ.get("HTTP_ORIGIN")
        if not (origin and self.allows(origin, request.environ)):
            return [VARY]
        return [
            VARY,
            ("Access-Control-Allow-Origin", origin),
            ("Access-Control-Allow-Credentials", "true"),
            ("Access-Control-Expose-Headers", EXPOSED),
        ]
