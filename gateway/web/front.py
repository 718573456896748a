"""The outermost layer: sends requests to the sockets or to the site, and refuses what no part of them expects."""

from __future__ import annotations

import errno
import json
import logging
import math
from collections.abc import Callable, Iterable
from typing import Any

import socketio

from gateway import incidents
from gateway.web.hosts import Hosts
from gateway.web.lengths import unclear_length
from shared.errors import ErrorCode, FloworkError

SOCKET_PATHS = ("/api/socket.io/", "/socket.io/")
WEBSOCKET_VERSION = "13"
NOT_OURS = "This gateway does not answer to this host name; GATEWAY_ALLOWED_HOSTS lists more of its names."

_log = logging.getLogger(__name__)

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Front:
    """A WSGI application over the Socket.IO server, at both of its paths, and the site.

    ``arrive`` counts a connection that begins, and raises RATE_LIMITED; the site counts its requests itself.
    """

    def __init__(
        self, server: Any, site: Application, hosts: Hosts, arrive: Callable[[dict[str, Any]], None]
    ) -> None:
        self._hosts = hosts
        self._arrive = arrive
        self._site = site
        inner = socketio.WSGIApp(server, site, socketio_path=SOCKET_PATHS[1])
        self._sockets = socketio.WSGIApp(server, inner, socketio_path=SOCKET_PATHS[0])

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer one request."""
        if not self._hosts.allows(environ):
            return _refuse(start_response, "400 Bad Request", NOT_OURS)
        unclear = unclear_length(environ)
        if unclear:
            return _refuse(start_response, "400 Bad Request", unclear)
        if "HTTP_UPGRADE" in environ and not _asks_for_websocket(environ):
            return _refuse(
                start_response, "426 Upgrade Required", "Only WebSocket version 13 is spoken here."
            )
        is_socket = environ.get("PATH_INFO", "").startswith(SOCKET_PATHS)
        if is_socket and "sid=" not in environ.get("QUERY_STRING", ""):  # those that go on with one name it
            try:
                self._arrive(environ)
            except FloworkError as error:
                return _refuse(start_response, "429 Too Many Requests", error)
        # Compression would let a small frame become a large one, and costs memory on every connection.
        environ.pop("HTTP_SEC_WEBSOCKET_EXTENSIONS", None)
        if environ.get("HTTP_TRANSFER_ENCODING", "").lower() == "chunked":
            environ["wsgi.input_terminated"] = True
        try:
            application = self._sockets if is_socket else self._site
            answer: Iterable[bytes] = application(environ, start_response)
        except (ConnectionError, TimeoutError, StopIteration):
            raise  # how the servers learn that a WebSocket, or the client, is gone
        except OSError as error:
            # Whatever else ends a connection below is told in the one way that all of them take for that.
            raise ConnectionResetError(errno.ECONNRESET, str(error)) from error
        except Exception as error:  # noqa: BLE001 - the edge of HTTP
            told = incidents.report(_log, "a socket request", error)
            return _refuse(start_response, "500 Internal Server Error", told)
        return answer


def _asks_for_websocket(environ: dict[str, Any]) -> bool:
    """Tell whether an upgrade is one to RFC 6455: the forms before it have frames without a length, so no limit.

    Where only one of the two headers asks for it, the library would take it for a WebSocket and never open one.
    """
    wanted = [word.strip().lower() for word in environ.get("HTTP_CONNECTION", "").split(",")]
    return "upgrade" in wanted and environ.get("HTTP_SEC_WEBSOCKET_VERSION") == WEBSOCKET_VERSION


def _refuse(start_response: Callable[..., Any], status: str, reason: str | FloworkError) -> Iterable[bytes]:
    error = reason if isinstance(reason, FloworkError) else FloworkError(ErrorCode.INVALID_REQUEST, reason)
    body = json.dumps(error.as_http_body()).encode()
    headers = [
        ("Content-Type", "application/json"),
        ("Content-Length", str(len(body))),
        ("X-Content-Type-Options", "nosniff"),
    ]
    if error.retry_after is not None:
        headers.append(("Retry-After", str(math.ceil(error.retry_after))))
    if status.startswith("426"):
        headers += [("Upgrade", "websocket"), ("Sec-WebSocket-Version", WEBSOCKET_VERSION)]
    start_response(status, headers)
    return [body]
