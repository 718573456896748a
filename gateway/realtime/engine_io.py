"""The connections below Socket.IO: `engineio` without a task for each ping, and without one for each writer."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from engineio import exceptions, packet, socket
from typing_extensions import override

from gateway import incidents
from gateway.realtime.transport import EngineServer

LOOK_SECONDS = 0.5
MESSAGE = "4"

_log = logging.getLogger(__name__)


class Channel(socket.Socket):  # type: ignore[misc] # python-engineio has no types
    """One connection. A WebSocket that brings an outbox is written by that, any other by a task of its own."""

    queue: Any
    connected: bool
    upgrading: bool

    def __init__(self, server: EngineIo, sid: str) -> None:
        super().__init__(server, sid)
        self.last_ping: float | None = None

    @override
    def send(self, pkt: Any) -> None:
        if self.check_ping_timeout():
            self.queue.put(pkt)

    @override
    def check_ping_timeout(self) -> bool:
        if self.closed:
            raise exceptions.SocketIsClosedError
        if self.last_ping is None or time.monotonic() - self.last_ping <= self.server.ping_timeout:
            return True
        self.close(wait=False, abort=False, reason=self.server.reason.PING_TIMEOUT)
        return False

    @override
    def schedule_ping(self) -> None:
        """Take note of an answer to a ping."""
        if self.last_ping is not None:
            self.last_ping = None
            self.server.pinger.add(self)

    def ping(self) -> None:
        """Ask the other side whether it is there."""
        self.last_ping = time.monotonic()
        self.send(packet.Packet(packet.PING))

    @override
    def _websocket_handler(self, ws: Any) -> list[Any]:
        try:
            if not self.connected or self._is_upgraded_by(ws):
                self.connected = self.upgraded = True
                until_sent = self._begin_to_send(ws)
                self._read(ws)
                self.close(wait=False, abort=True, reason=self.server.reason.TRANSPORT_CLOSE)
                until_sent()
        finally:
            ws.finish()
        return []

    def _begin_to_send(self, ws: Any) -> Callable[[], object]:
        """Have what waits, and all that follows, sent; return what waits for the last of it once this is closed."""
        if hasattr(ws, "outbox"):
            self._send_through(ws.outbox)
            return lambda: None  # its `finish` does that
        until_sent: Callable[[], object] = self.server.start_background_task(self._write, ws).join
        return until_sent

    def _write(self, ws: Any) -> None:
        """Send what waits until there is nothing more to come, or nobody to whom."""
        with suppress(OSError, exceptions.QueueEmpty):
            while packets := self.poll():
                for each in packets:
                    ws.send(each.encode())
        ws.close()

    def _send_through(self, outbox: Any) -> None:
        """Have what waits, and all that follows, sent by the outbox."""
        waiting, self.queue = self.queue, outbox
        empty = self.server.get_queue_empty_exception()
        while True:
            try:
                outbox.put(waiting.get(block=False))
            except empty:
                return

    def _read(self, ws: Any) -> None:
        """Handle what comes until the connection ends."""
        while True:
            try:
                text = ws.wait()
                if text is None or self.closed:
                    return
                if isinstance(text, str) and text.startswith(MESSAGE):
                    self.server.hand_over(self.sid, text[1:])
                else:
                    self.receive(packet.Packet(encoded_packet=text))
            except exceptions.UnknownPacketError:
                continue
            except exceptions.SocketIsClosedError:
                return
            except Exception as error:  # noqa: BLE001 - the edge of the socket: whatever it was, the connection ends
                if not self.closed:
                    _log.info("a connection ended", extra={"reason": type(error).__name__})
                return

    def _is_upgraded_by(self, ws: Any) -> bool:
        """Take over from polling, as Engine.IO prescribes: a probe, its answer, and the word to go on here.

        Nobody asks a WebSocket that is not yet the connection's own for signs of life: each word has its deadline.
        """
        if self.upgrading:
            return False  # another one is at it
        self.upgrading, patience = True, self.server.ping_timeout
        try:
            if ws.wait_for(patience) != "2probe":
                return False
            ws.send(packet.Packet(packet.PONG, data="probe").encode())
            self.queue.put(packet.Packet(packet.NOOP))  # ends the poll that waits
            return ws.wait_for(patience) == "5" and not self.closed
        except (OSError, ValueError):  # the other side is gone, or what it sends is no text
            return False
        finally:
            self.upgrading = False


class Pinger:
    """Asks connections whether they are there, each ``interval`` seconds after its last answer, on one task for all.

    It also closes those that give no answer for ``timeout`` seconds, and forgets those that are closed.
    """

    def __init__(self, sockets: dict[str, Any], interval: float, timeout: float) -> None:
        self._sockets = sockets
        self._interval = interval
        self._timeout = timeout
        # Both are in the order of time: who comes last has the same time to wait as all the others.
        self._due: deque[tuple[float, Channel]] = deque()
        self._asked: deque[tuple[float, Channel]] = deque()

    def add(self, channel: Channel) -> None:
        """Have a connection asked in a while."""
        self._due.append((time.monotonic() + self._interval, channel))

    def run(self, stopping: threading.Event) -> None:
        """Look after the connections until the end."""
        while not stopping.wait(timeout=LOOK_SECONDS):
            self.look()

    def look(self) -> None:
        """Ask whoever is to be asked now, and give up those that gave no answer."""
        now = time.monotonic()
        for channel in _taken(self._due, now):
            if self._is_open(channel, channel.ping):
                self._asked.append((now + self._timeout + LOOK_SECONDS, channel))
        for channel in _taken(self._asked, now):
            self._is_open(channel, channel.check_ping_timeout)

    def _is_open(self, channel: Channel, act: Callable[[], object]) -> bool:
        try:
            if not channel.closed:
                act()
        except exceptions.SocketIsClosedError:
            pass
        except Exception as error:  # noqa: BLE001 - one connection's trouble is not that of the others
            incidents.report(_log, "a ping", error)
        if channel.closed and self._sockets.get(channel.sid) is channel:
            self._sockets.pop(channel.sid, None)
        return not channel.closed


def _taken(waiting: deque[tuple[float, Channel]], now: float) -> list[Channel]:
    taken = []
    while waiting and waiting[0][0] <= now:
        taken.append(waiting.popleft()[1])
    return taken


class EngineIo(EngineServer):
    """The Engine.IO server; ``pinger`` looks after its connections once `attend` was called."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options, monitor_clients=False)
        self.pinger = Pinger(self.sockets, self.ping_interval, self.ping_timeout)

    def attend(self, stopping: threading.Event) -> None:
        """Begin to look after the connections, until the end."""
        self.start_background_task(self.pinger.run, stopping)

    def hand_over(self, sid: str, text: str) -> None:
        """Give a message to whoever handles messages; an error of theirs is not the connection's end."""
        try:
            self.handlers["message"](sid, text)
        except Exception as error:  # noqa: BLE001 - the edge of the socket
            incidents.report(_log, "a message", error)

    @override
    def _handle_connect(
        self, environ: dict[str, Any], start_response: Any, transport: str, jsonp_index: int | None = None
    ) -> Any:
        sid = self.generate_id()
        self.sockets[sid] = channel = Channel(self, sid)
        channel.send(packet.Packet(packet.OPEN, self._greeting(sid, transport)))
        if self._trigger_event("connect", sid, environ, run_async=False) is False:
            self.sockets.pop(sid, None)
            return self._unauthorized()
        self.pinger.add(channel)
        if transport == "websocket":
            try:
                return channel.handle_get_request(environ, start_response)
            finally:
                if not channel.connected:  # it was no handshake
                    channel.close(wait=False, abort=True, reason=self.reason.TRANSPORT_ERROR)
                if channel.closed:
                    self.sockets.pop(sid, None)
        channel.connected = True
        return self._ok(channel.poll(), jsonp_index=jsonp_index)

    def _greeting(self, sid: str, transport: str) -> dict[str, Any]:
        return {
            "sid": sid,
            "upgrades": self._upgrades(sid, transport),
            "pingTimeout": int(self.ping_timeout * 1000),
            "pingInterval": int(self.ping_interval * 1000),
            "maxPayload": self.max_http_buffer_size,
        }
