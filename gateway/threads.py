"""Serves the application on threads: the exit from eventlet, and what most tests run on."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import simple_websocket  # type: ignore[import-untyped]
from engineio.async_drivers.threading import SimpleWebSocketWSGI
from typing_extensions import override
from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler
from wsproto.utilities import ProtocolError

STOP_SECONDS = 1.5
SOCKET_SECONDS = 60.0
LOOK_SECONDS = 0.5
NO_HANDSHAKE = (ProtocolError, ValueError, simple_websocket.ConnectionError)
"""What the libraries raise for a request that is no handshake of a WebSocket."""
_SOCKETS = ("werkzeug.socket", "gunicorn.socket")


class QuietHandler(WSGIRequestHandler):
    """Handles requests without werkzeug's own log lines; the application writes the log."""

    protocol_version = "HTTP/1.1"
    timeout = SOCKET_SECONDS

    @override
    def connection_dropped(self, error: BaseException, environ: dict[str, Any] | None = None) -> None:
        """Close the connection after a WebSocket; it would be kept for a next request otherwise."""
        self.close_connection = True

    @override
    def log(self, type: str, message: str, *args: Any) -> None:
        """Write nothing."""


class ThreadServer:
    """Serves a WSGI application with one thread per connection."""

    def __init__(self, application: Callable[..., Any], host: str, port: int) -> None:
        # Bound here: werkzeug would print its own text and end the process where the port is taken.
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.create_server((host, port), family=family, backlog=512) as bound:
            self._server = ThreadedWSGIServer(
                host, port, application, handler=QuietHandler, fd=bound.fileno()
            )
        self._thread: threading.Thread | None = None

    @property
    def port(self) -> int:
        """The port that is really listened on."""
        return int(self._server.port)

    def start(self) -> None:
        """Begin to accept connections."""
        self._thread = threading.Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": 0.05},
            name="gateway-http",
            daemon=True,
        )
        self._thread.start()

    def stop(self) -> None:
        """Stop accepting; requests that still run end with the process."""
        if self._thread is None:
            return
        self._server.shutdown()
        self._thread.join(STOP_SECONDS)


class WebSocketServer(simple_websocket.Server):  # type: ignore[misc] # it has no types
    """A WebSocket whose reader always learns of its end, where the library's own may wait for ever after a refusal.

    It reads no further while a message waits to be taken, so that who sends faster than it is served has to wait.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        self._taken = threading.Event()
        self._is_over = False
        super().__init__(*args, **options)

    @override
    def _thread(self) -> None:
        super()._thread()
        self.connected = False
        self.event.set()

    @override
    def _handle_events(self) -> bool:
        """Handle what one read brought, at most some kilobytes beside what completes a message, and wait."""
        goes_on = bool(super()._handle_events())
        while goes_on and self.input_buffer:
            self._taken.wait(LOOK_SECONDS)
            self._taken.clear()
            goes_on = self.connected and not self._is_over
        return goes_on

    @override
    def receive(self, timeout: float | None = None) -> Any:
        try:
            return super().receive(timeout)
        finally:
            self._taken.set()

    def leave(self) -> None:
        """Say that nobody takes messages any more."""
        self._is_over = True
        self._taken.set()


class WholeWire:
    """A socket of which `send` writes all it is given, for one thread at a time, as the library takes for granted.

    Raises TimeoutError where the other side reads nothing for the socket's timeout. All else is the socket's own.
    """

    def __init__(self, sock: Any) -> None:
        self._sock = sock
        self._writing = threading.Lock()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)

    def send(self, data: bytes) -> int:
        """Write all of it, and return how many bytes that were."""
        with self._writing:
            left = memoryview(data)
            while left:  # not `sendall`, whose timeout is one for all of it
                left = left[self._sock.send(left) :]
        return len(data)


class WebSocketApp(SimpleWebSocketWSGI):  # type: ignore[misc] # engineio has no types
    """The WSGI application of one WebSocket, as `engineio` wants it."""

    @override
    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        wires = {name: WholeWire(environ[name]) for name in _SOCKETS if name in environ}
        try:
            self.ws = WebSocketServer(environ | wires, thread_class=_daemon, **self.server_args)
        except NO_HANDSHAKE:
            start_response("400 Bad Request", [("Content-Type", "application/json")])
            return (b'"This is no handshake of a WebSocket"',)
        try:
            answer = self.app(self)
        finally:
            self.ws.leave()
        if self.ws.mode == "gunicorn":
            raise StopIteration
        if self.ws.mode == "werkzeug":
            raise ConnectionError
        return answer

    @override
    def send(self, message: str | bytes) -> Any:
        """Send a message; raises OSError where the connection has ended."""
        try:
            return super().send(message)
        except ProtocolError as error:  # it is being closed
            raise OSError(str(error)) from error

    def wait_for(self, seconds: float) -> Any:
        """Wait for a message, but not longer than this; None then, and at the end, too."""
        try:
            return self.ws.receive(timeout=seconds)
        except simple_websocket.ConnectionClosed:
            return None

    @override
    def close(self) -> None:
        """Take leave and end the connection, whether or not the other side was quicker; it is not waited for."""
        with suppress(OSError, ProtocolError, simple_websocket.ConnectionClosed):
            super().close()
        with suppress(OSError):
            self.ws.sock.shutdown(socket.SHUT_RDWR)

    finish = close


def parts(limit: int) -> dict[str, Any]:
    """Return what `engineio` runs on here: its WebSockets, with messages of at most so many bytes."""

    def bounded_websocket(handler: Callable[..., Any], _server: Any) -> Any:
        return WebSocketApp(handler, None, max_message_size=limit)

    return {"websocket": bounded_websocket}


def _daemon(target: Callable[[], None]) -> threading.Thread:
    return threading.Thread(target=target, name="gateway-websocket", daemon=True)
