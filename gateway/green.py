"""The one file that knows eventlet: patches the standard library and serves the application on green threads."""

from __future__ import annotations

import os
import socket
import warnings
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any

from typing_extensions import override

from gateway.apart import Apart
from gateway.realtime.outbox import Outbox, Turns
from gateway.realtime.ws_frames import BufferedSocket, unmasked
from gateway.signals import signal_class

STOP_SECONDS = 1.5
SEND_SECONDS = 45.0
LOOK_SECONDS = 0.02
GOOD_BYE = b"\x88\x00"
PONG = 0x8A
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


class GreenWire:
    """The way to the other side of a WebSocket: a green socket, which only `send` waits for."""

    def __init__(self, sock: Any, eventlet: Any) -> None:
        self._sock = sock
        self._eventlet = eventlet
        self.has_parted = False

    def offer(self, data: bytes) -> int:
        """Write what the system takes at once; return how many bytes these were."""
        try:
            return int(self._sock.fd.send(data))
        except BlockingIOError:
            return 0

    def send(self, data: bytes) -> None:
        """Write all of it, waiting as long as the other side reads something now and then."""
        while data:
            with self._eventlet.Timeout(SEND_SECONDS, TimeoutError("the other side does not read")):
                data = data[self._sock.send(data) :]

    def finish(self, outbox: Outbox) -> None:
        """Send what waits, if the other side takes it soon, and end the connection."""
        outbox.put(None)
        outbox.flush()
        with self._eventlet.Timeout(STOP_SECONDS, False):
            while outbox.is_writing:
                self._eventlet.sleep(LOOK_SECONDS)
        self.hang_up()

    def hang_up(self) -> None:
        """Take leave and end the connection, without waiting."""
        if not self.has_parted:
            self.has_parted = True
            with suppress(OSError):
                self.offer(GOOD_BYE)
        # Closed by the server then: a green thread that reads a socket which another one closes is not woken.
        with suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)


def parts(limit: int) -> dict[str, Any]:
    """Return what `engineio` runs on here: its WebSockets, with messages of at most so many bytes, and its events."""
    from engineio.async_drivers.eventlet import WebSocketWSGI  # noqa: PLC0415 - only on eventlet

    bounded = _websocket_class(limit)

    class BoundedWebSocketApp(WebSocketWSGI):  # type: ignore[misc] # engineio has no types
        def _handle_hybi_request(self, environ: dict[str, Any]) -> Any:
            return bounded(super()._handle_hybi_request(environ))

    return {"websocket": BoundedWebSocketApp, "event": signals()}


def _unmask(data: bytes, mask: tuple[int, ...], length: int | None = None, offset: int = 0) -> bytes:
    """Do what eventlet's own function does byte by byte."""
    turn = offset % 4
    return unmasked(data if length is None else data[:length], bytes(mask[turn:] + mask[:turn]))


def _message_class(limit: int) -> type:
    from eventlet import websocket  # noqa: PLC0415 - only on eventlet

    class BoundedMessage(websocket.RFC6455WebSocket.Message):  # type: ignore[misc] # eventlet has no types
        """What came of a message: one row of bytes, however small its pieces are, and never above the limit."""

        @override
        def push(self, data: bytes, final: bool = False) -> None:
            self.finished = final
            if not self.data:
                self.data.append(bytearray())
            self.data[0] += data
            if len(self.data[0]) > limit:
                raise websocket.FailedConnectionError(1009, "Message is too big")

        @override
        def getvalue(self) -> Any:
            try:
                return super().getvalue()
            except UnicodeDecodeError as error:
                raise websocket.FailedConnectionError(1007, "Text must be UTF-8") from error

    return BoundedMessage


def _websocket_class(limit: int) -> type:
    """Return the WebSocket that takes the place of one which the library has accepted.

    eventlet bounds each frame but collects fragments without end, unmasks byte by byte in Python, which holds up every
    other connection for a tenth of a second per megabyte, and asks the system for every part of a frame.
    """
    from eventlet import websocket  # noqa: PLC0415 - only on eventlet

    eventlet = _eventlet()
    hub, trampoline = eventlet.hubs.get_hub, eventlet.hubs.trampoline
    turns = Turns(lambda call: hub().schedule_call_global(0, call), eventlet.spawn_n)

    class BoundedWebSocket(websocket.RFC6455WebSocket):  # type: ignore[misc] # eventlet has no types
        def __init__(self, accepted: Any) -> None:
            sock = BufferedSocket(accepted.socket, partial(trampoline, accepted.socket, read=True))
            super().__init__(
                sock, accepted.environ, accepted.version, protocol=accepted.protocol, max_frame_length=limit
            )
            sock.settimeout(None)  # who does not answer pings is disconnected
            self._wire = GreenWire(accepted.socket, eventlet)
            self.outbox = Outbox(self._wire, turns)

        def wait(self) -> Any:
            text = self.socket.whole_text(limit)
            if text is None:
                return super().wait()
            try:
                return text.decode()
            except UnicodeDecodeError:
                self.close(close_data=(1007, "Text must be UTF-8"))
                raise

        def wait_for(self, seconds: float) -> Any:
            """Wait, but not longer than this; None then, too."""
            with eventlet.Timeout(seconds, False):
                return self.wait()
            return None

        _apply_mask = staticmethod(_unmask)

        Message = _message_class(limit)

        def _send(self, frame: bytes) -> None:
            if frame[0] == PONG and self.outbox.is_writing:
                self.outbox.pong = frame  # of those that wait for a slow reader the last one is enough
            else:
                self.outbox.add(frame)

        def close(self, close_data: tuple[int, str] | None = None) -> None:
            self._send_closing_frame(ignore_send_errors=True, close_data=close_data)
            self.outbox.flush()
            self._wire.has_parted = True
            self._wire.hang_up()

        def finish(self) -> None:
            self.websocket_closed = True
            self._wire.finish(self.outbox)

    return BoundedWebSocket


def apart() -> Apart:
    """Return a real thread on which functions run while the other green threads go on."""
    from eventlet import patcher  # noqa: PLC0415 - only on eventlet

    hubs = _eventlet().hubs

    def watch(descriptor: int, call: Callable[[int], None]) -> None:
        hub = hubs.get_hub()
        hub.add(hub.READ, descriptor, call, lambda _: None, lambda: None)

    return Apart(patcher.original, watch, signals())


def lock() -> Any:
    """Return a lock between real threads; green threads, which are all of one, may not wait while they hold it."""
    from eventlet import patcher  # noqa: PLC0415 - only on eventlet

    return patcher.original("threading").RLock()


def signals() -> type:
    """Return the class of what one green thread waits for."""
    eventlet = _eventlet()
    return signal_class(eventlet.hubs.get_hub, eventlet.getcurrent)


def _eventlet() -> Any:
    # eventlet announces its own end at every import; docs/adr/0002-eventlet.md says why it is used all the same.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import eventlet  # noqa: PLC0415 - must not be imported where threads are chosen
        import eventlet.green.socket  # noqa: PLC0415

    return eventlet
