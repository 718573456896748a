"""The one file that knows eventlet: patches the standard library and serves the application on green threads."""

from __future__ import annotations

import os
import socket
import warnings
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

STOP_SECONDS = 1.5
MAX_CONNECTIONS = 4096
SOCKET_SECONDS = 60.0
# Bodies and frames end within a message limit, but a connection may come back for another request for this long.
KEEP_ALIVE_SECONDS = 30.0
AMBIGUOUS = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


def is_chosen(environ: Mapping[str, str]) -> bool:
    """Tell whether the process shall run on eventlet, which has to be known before anything else is imported."""
    return environ.get("GATEWAY_ASYNC_MODE", "") != "threading"


def patch_if_chosen() -> None:
    """Patch, unless the environment says that the process runs on threads."""
    if is_chosen(os.environ):
        patch()


def patch() -> None:
    """Make the standard library cooperative. Call it before any other import of the process."""
    # The gateway resolves no names while it serves; without this, eventlet loads a whole DNS library at the start.
    os.environ.setdefault("EVENTLET_NO_GREENDNS", "yes")
    # psycopg's own C wait would stall every green thread of the process.
    os.environ.setdefault("PSYCOPG_WAIT_FUNC", "wait_selector")
    _eventlet().monkey_patch()


class GreenServer:
    """Serves a WSGI application with eventlet: one green thread per connection."""

    def __init__(self, application: Callable[..., Any], host: str, port: int) -> None:
        self._eventlet = _eventlet()
        family = self._eventlet.green.socket.AF_INET6 if ":" in host else self._eventlet.green.socket.AF_INET
        # Its default would let two gateways listen on one port, each with some of the connections.
        self._listener = self._eventlet.listen((host, port), family=family, backlog=512, reuse_port=False)
        self._application = application
        self._task: Any = None

    @property
    def port(self) -> int:
        """The port that is really listened on."""
        return int(self._listener.getsockname()[1])

    def start(self) -> None:
        """Begin to accept connections."""
        from eventlet import wsgi  # noqa: PLC0415 - only after patch()

        self._task = self._eventlet.spawn(
            wsgi.server,
            self._listener,
            self._application,
            log_output=False,
            debug=False,
            max_size=MAX_CONNECTIONS,
            socket_timeout=SOCKET_SECONDS,
            keepalive=KEEP_ALIVE_SECONDS,
            protocol=unambiguous_http(wsgi.HttpProtocol),
        )

    def stop(self) -> None:
        """Stop accepting, let running requests end for a moment, then give up on the rest."""
        if self._task is None:
            return
        self._task.kill()
        with suppress(self._eventlet.greenlet.GreenletExit), self._eventlet.Timeout(STOP_SECONDS, False):
            self._task.wait()


def unambiguous_http(protocol: Any) -> Any:
    """Return eventlet's HTTP protocol, strict about where a request ends, as other servers are.

    A second request hidden in the body of the first, where a proxy in front reads the length in another way, would
    be answered as if the proxy had let it pass.
    """

    class UnambiguousHttp(protocol):  # type: ignore[misc] # eventlet has no types
        def handle_one_response(self) -> None:
            lengths = self.headers.get_all("content-length", [])
            codings = [coding.strip().lower() for coding in self.headers.get_all("transfer-encoding", [])]
            plain = all(length.isascii() and length.isdigit() for length in lengths)
            # Lines after one that is no header are left out by the reader, also those that say a length.
            whole = not self.headers.defects and not self.headers.get_payload()
            clear = len(lengths) + len(codings) <= 1 and codings in ([], ["chunked"])
            if not (plain and whole and clear):
                self.wfile.write(AMBIGUOUS)
                self.close_connection = 1
                return
            if codings:
                # Sizes of chunks are read in more than one spelling; whatever follows them is not a request.
                self.close_connection = 1
            super().handle_one_response()

    return UnambiguousHttp


def bounded_websocket(handler: Callable[..., Any], server: Any) -> Any:
    """Return the WSGI application of one WebSocket, for `engineio`: it bounds whole messages, not only frames.

    eventlet bounds each frame but collects fragments without end, and unmasks byte by byte in Python, which holds
    up every other connection for a tenth of a second per megabyte.
    """
    from engineio.async_drivers.eventlet import WebSocketWSGI  # noqa: PLC0415 - only on eventlet
    from eventlet.websocket import FailedConnectionError, RFC6455WebSocket  # noqa: PLC0415

    limit = int(server.max_http_buffer_size)

    class BoundedWebSocket(RFC6455WebSocket):  # type: ignore[misc] # eventlet has no types
        @staticmethod
        def _apply_mask(
            data: bytes, mask: tuple[int, ...], length: int | None = None, offset: int = 0
        ) -> bytes:
            size = len(data) if length is None else length
            turn = offset % 4
            key = bytes(mask[turn:] + mask[:turn]) * (size // 4 + 1)
            mixed = int.from_bytes(data[:size], "big") ^ int.from_bytes(key[:size], "big")
            return mixed.to_bytes(size, "big")

        def _recv_frame(self, message: Any = None) -> Any:
            received = super()._recv_frame(message)
            if sum(map(len, received.data)) > limit:
                raise FailedConnectionError(1009, "Message is too big")
            return received

        def close(self, close_data: tuple[int, str] | None = None) -> None:
            # Shut down, and closed by the server then: a green thread that reads a socket which another one
            # closes is not woken before its time-out.
            with suppress(OSError):
                self._send_closing_frame(ignore_send_errors=True, close_data=close_data)
                self.socket.shutdown(socket.SHUT_RDWR)

    class BoundedWebSocketApp(WebSocketWSGI):  # type: ignore[misc] # engineio has no types
        def _handle_hybi_request(self, environ: dict[str, Any]) -> Any:
            accepted = super()._handle_hybi_request(environ)
            return BoundedWebSocket(
                accepted.socket, environ, accepted.version, protocol=accepted.protocol, max_frame_length=limit
            )

    return BoundedWebSocketApp(handler, server)


def _eventlet() -> Any:
    # eventlet announces its own end at every import; docs/adr/0002-eventlet.md says why it is used all the same.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import eventlet  # noqa: PLC0415 - must not be imported where threads are chosen
        import eventlet.green.socket  # noqa: PLC0415

    return eventlet
