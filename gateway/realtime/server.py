"""The Socket.IO server: what `python-socketio` offers, made strict, bounded and answerable."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import socketio
from engineio.packet import MESSAGE, Packet
from typing_extensions import override

from gateway import incidents
from gateway.realtime import frames, wire_json
from gateway.realtime.engine_io import EngineIo
from gateway.realtime.outbox import Outbox
from gateway.realtime.oversize import MAX_TOLERATED, is_too_large, read_event, read_limit
from gateway.realtime.text_packet import TextPacket
from gateway.realtime.transport import MALFORMED
from shared.clock import Clock
from shared.errors import ErrorCode, FloworkError

PING_SECONDS = 25
PONG_SECONDS = 20
HANDSHAKE_SECONDS = 10.0
SWEEP_SECONDS = 2.0
MAX_UNSENT_PACKETS = 2000
MAX_UNSENT_BYTES = 64 * 1024 * 1024
ROOM_ELSEWHERE = 100
BINARY_PACKETS = ("5", "6")

_log = logging.getLogger(__name__)


class Endpoint(Protocol):
    """One namespace. Its methods are called for one connection at a time and in order."""

    @property
    def namespace(self) -> str:
        """The name clients connect to, such as ``/gui-socket``."""
        ...

    def accept(self, sid: str, environ: dict[str, Any], auth: Any) -> Any:
        """Judge a connect: return what shall be known about the connection, or raise `FloworkError` to refuse."""
        ...

    def joined(self, sid: str, known: Any) -> None:
        """Take note that the connection stands and its client was told so."""
        ...

    def receive(self, sid: str, known: Any, event: str, args: Sequence[Any]) -> Any:
        """Handle an event and return its acknowledgement; `FloworkError` becomes an ``error`` event."""
        ...

    def left(self, sid: str, known: Any) -> None:
        """Take note that a connection that stood is gone."""
        ...


class SocketServer(socketio.Server):  # type: ignore[misc] # python-socketio has no types
    """A Socket.IO server whose every event is answered and whose every buffer has an end.

    ``parts`` are those of the chosen runtime that `engineio` is to use, ``origin_allowed`` judges browsers,
    ``manager`` joins it with the servers of other processes.
    """

    def __init__(  # noqa: PLR0913 - keywords only
        self,
        *,
        async_mode: str,
        parts: Mapping[str, Any],
        max_bytes: int,
        origin_allowed: Callable[[str | None, dict[str, Any]], bool],
        clock: Clock,
        manager: Any = None,
        transports: Sequence[str] = ("polling", "websocket"),
    ) -> None:
        super().__init__(
            client_manager=manager,
            async_mode=async_mode,
            transports=list(transports),
            async_handlers=False,  # events of one connection are handled in order, and not without bound
            serializer=TextPacket,
            json=wire_json,
            logger=_quiet("socketio"),
            engineio_logger=_quiet("engineio"),
            max_http_buffer_size=read_limit(max_bytes),
            ping_interval=PING_SECONDS,
            ping_timeout=PONG_SECONDS,
            cors_allowed_origins=origin_allowed,
            namespaces=["/gui-socket", "/engine-socket"],
        )
        self.eio._async = {**self.eio._async, **parts}  # noqa: SLF001 - it has no other way in
        self._clock = clock
        self._has_others = manager is not None
        self._endpoints: dict[str, Endpoint] = {}
        self._since: dict[str, float] = {}
        self._large: dict[str, int] = {}
        self._max_bytes = max_bytes
        self._waiting: dict[str, set[Any]] = {}
        self._stopping = threading.Event()
        self._chores: list[Callable[[], None]] = []
        self._sweeper: Any = None

    def attach(self, endpoint: Endpoint) -> None:
        """Serve a namespace with this endpoint."""
        namespace = endpoint.namespace
        self._endpoints[namespace] = endpoint
        self.on("connect", self._guarded_accept(endpoint), namespace=namespace)
        self.on("disconnect", self._guarded_left(endpoint), namespace=namespace)

    def look_after(self, chore: Callable[[], None]) -> None:
        """Call this every two seconds while there are or were connections."""
        self._chores.append(chore)

    def publish(self, namespace: str, event: str, data: Any, to: str | Sequence[str]) -> None:
        """Send an event to one connection, to a room, or to several rooms, once to each connection."""
        eio_sid = self.manager.eio_sid_from_sid(to, namespace) if isinstance(to, str) else None
        if eio_sid is not None:
            packet = self.packet_class(socketio.packet.EVENT, namespace=namespace, data=[event, data])
            self._send_packet(eio_sid, packet)
        elif to:
            self.emit(event, data, to=to, namespace=namespace)

    def ask(self, namespace: str, sid: str, event: str, data: Any, *, seconds: float) -> Any:
        """Send an event and return its acknowledgement.

        Raises ENGINE_UNAVAILABLE when it does not come in time or the connection ends first.
        """
        answers: list[Any] = []
        done = self.eio.create_event()

        def take(*values: Any) -> None:
            answers.append(values[0] if values else None)
            done.set()

        waiting = self._waiting.setdefault(sid, set())
        waiting.add(done)
        try:
            self._ask(namespace, sid, [event, data], take)
            done.wait(timeout=seconds)
        finally:
            waiting.discard(done)
            if not waiting and not self.is_here(namespace, sid):
                # Nothing here will see the end of a connection of another process.
                self._waiting.pop(sid, None)
                self.manager.callbacks.pop(sid, None)
        if not answers:
            raise FloworkError(ErrorCode.ENGINE_UNAVAILABLE, "The engine did not answer.", retry_after=5)
        return answers[0]

    def _ask(self, namespace: str, sid: str, data: list[Any], take: Callable[..., None]) -> None:
        eio_sid = self.manager.eio_sid_from_sid(sid, namespace)
        if eio_sid is None:
            self.emit(data[0], data[1], to=sid, namespace=namespace, callback=take)
            return
        number = self.manager._generate_ack_id(sid, take)  # noqa: SLF001 - as its own emit does
        packet = self.packet_class(socketio.packet.EVENT, namespace=namespace, data=data, id=number)
        self._send_packet(eio_sid, packet)

    def drop(self, namespace: str, sid: str) -> None:
        """Close a connection for good, its transport included."""
        eio_sid = self.manager.eio_sid_from_sid(sid, namespace)
        self.disconnect(sid, namespace=namespace)
        if eio_sid is not None:
            self._close_transport(eio_sid)

    def room_for(self, namespace: str, sid: str) -> int:
        """Return how many more events a connection can take now without coming near the end of its patience.

        Of a connection of another process a modest number: that process closes it if it does not read.
        """
        if not self.is_here(namespace, sid):
            return ROOM_ELSEWHERE if self._has_others else 0
        socket = self.eio.sockets.get(self.manager.eio_sid_from_sid(sid, namespace))
        return 0 if socket is None else MAX_UNSENT_PACKETS // 2 - int(socket.queue.qsize())

    def is_here(self, namespace: str, sid: str) -> bool:
        """Tell whether a connection is one of this process."""
        return bool(self.manager.is_connected(sid, namespace))

    def members(self, namespace: str, room: str) -> list[str]:
        """Return the connections of this process in a room."""
        return [sid for sid, _ in self.manager.get_participants(namespace, room)]

    def drop_room(self, namespace: str, room: str) -> None:
        """Close every connection in a room for good, those of other processes too."""
        if self._has_others:
            self.manager.close_room(room, namespace)
            return
        for sid in self.members(namespace, room):
            self.drop(namespace, sid)

    def listen_to_others(self) -> None:
        """Begin to take part in what other processes send; without it that begins with the first connection."""
        if self._has_others and not self.manager_initialized:  # type: ignore[has-type]
            self.manager_initialized = True
            self.manager.initialize()

    def close(self) -> None:
        """Close every connection and end the background work; a graceful stop waits for nobody then."""
        for eio_sid in list(self.eio.sockets):
            self._close_transport(eio_sid)
        if not self._stopping.is_set():
            self._stopping.set()
            self.shutdown()

    def _guarded_accept(self, endpoint: Endpoint) -> Callable[..., None]:
        def accept(sid: str, environ: dict[str, Any], auth: Any = None) -> None:
            try:
                known = endpoint.accept(sid, environ, auth)
            except FloworkError as error:
                raise _refused(error) from error
            except Exception as error:
                told = incidents.report(_log, f"connect to {endpoint.namespace}", error)
                raise _refused(told) from error
            self.save_session(sid, {"known": known}, namespace=endpoint.namespace)

        return accept

    def _guarded_left(self, endpoint: Endpoint) -> Callable[..., None]:
        def left(sid: str, _reason: str = "") -> None:
            for waiting in list(self._waiting.pop(sid, ())):
                waiting.set()
            eio_sid = self.manager.eio_sid_from_sid(sid, endpoint.namespace)
            if eio_sid in self.eio.sockets:
                self._since[eio_sid] = self._clock.monotonic()
            try:
                endpoint.left(sid, self._known(endpoint, eio_sid))
            except Exception as error:  # noqa: BLE001 - the edge of the socket
                incidents.report(_log, f"disconnect from {endpoint.namespace}", error)

        return left

    def _known(self, endpoint: Endpoint, eio_sid: str | None) -> Any:
        # Not by get_session(), which no longer finds a connection that is being closed.
        socket = self.eio.sockets.get(eio_sid)
        return socket.session.get(endpoint.namespace, {}).get("known") if socket else None

    @override
    def _engineio_server_class(self) -> type[EngineIo]:
        return EngineIo

    @override
    def _handle_connect(self, eio_sid: str, namespace: str | None, data: Any) -> None:
        name = namespace or "/"
        if self.manager.sid_from_eio_sid(eio_sid, name) is not None:
            raise ValueError("a second connect")
        super()._handle_connect(eio_sid, namespace, data)
        endpoint, sid = self._endpoints.get(name), self.manager.sid_from_eio_sid(eio_sid, name)
        if endpoint is None or not self.manager.is_connected(sid, name):
            self._close_transport(eio_sid)
            return
        self._since.pop(eio_sid, None)
        try:
            endpoint.joined(sid, self._known(endpoint, eio_sid))
        except Exception as error:  # noqa: BLE001 - the edge of the socket
            incidents.report(_log, f"joining {endpoint.namespace}", error)
            self.drop(endpoint.namespace, sid)

    @override
    def _handle_event(self, eio_sid: str, namespace: str | None, packet_id: int | None, data: Any) -> None:
        name = namespace or "/"
        endpoint, sid = self._endpoints.get(name), self.manager.sid_from_eio_sid(eio_sid, name)
        if endpoint is None or not self.manager.is_connected(sid, name):
            raise ValueError("an event before the connect")
        if not isinstance(data, list) or not data or not isinstance(data[0], str):
            raise ValueError("an event without a name")
        reply = self._answer(endpoint, sid, self._known(endpoint, eio_sid), data)
        if packet_id is not None:
            packet = self.packet_class(socketio.packet.ACK, namespace=name, id=packet_id, data=[reply])
            self._send_packet(eio_sid, packet)

    def _answer(self, endpoint: Endpoint, sid: str, known: Any, data: list[Any]) -> Any:
        event, args = data[0], data[1:]
        try:
            return endpoint.receive(sid, known, event, args)
        except FloworkError as error:
            problem = error
        except Exception as error:  # noqa: BLE001 - the edge of the socket
            problem = incidents.report(_log, f"an event on {endpoint.namespace}", error)
        frame = frames.error_frame(problem, args)
        self.publish(endpoint.namespace, "error", frame, sid)
        return {"ok": False, "error": problem.message, "code": problem.code.value}

    @override
    def _handle_eio_connect(self, eio_sid: str, environ: dict[str, Any]) -> None:
        self._since[eio_sid] = self._clock.monotonic()
        if self._sweeper is None:
            self._sweeper = self.start_background_task(self._sweep)
            self.eio.attend(self._stopping)
        super()._handle_eio_connect(eio_sid, environ)

    @override
    def _handle_eio_message(self, eio_sid: str, data: Any) -> None:
        channel = self.eio.sockets.get(eio_sid)
        if channel is None or channel.closed:
            return  # what comes behind the packet for which it was closed would be remembered for nobody
        # Nobody sends binary here; a packet that announces attachments would keep them in memory.
        if not isinstance(data, str) or data.startswith(BINARY_PACKETS):
            self._close_transport(eio_sid)
            return
        if is_too_large(data, self._max_bytes):
            self._refuse_large(eio_sid, data)
            return
        try:
            super()._handle_eio_message(eio_sid, data)
        except MALFORMED as error:
            _log.info(
                "closed a connection that sent a malformed packet", extra={"problem": type(error).__name__}
            )
            self._close_transport(eio_sid)

    def _refuse_large(self, eio_sid: str, data: str) -> None:
        """Answer an event that is too large; whoever joined nothing, or goes on like this, is disconnected."""
        event = read_event(data)
        sid = self.manager.sid_from_eio_sid(eio_sid, event.namespace) if event else None
        self._large[eio_sid] = self._large.get(eio_sid, 0) + 1
        if event is None or sid is None or self._large[eio_sid] > MAX_TOLERATED:
            self._close_transport(eio_sid)
            return
        message = f"A message has at most {self._max_bytes} bytes; this one was not looked at."
        problem = FloworkError(ErrorCode.TOO_LARGE, message)
        self.publish(event.namespace, "error", frames.error_frame(problem, ()), sid)
        if event.packet_id is not None:
            told = {"ok": False, "error": message, "code": problem.code.value}
            packet = self.packet_class(
                socketio.packet.ACK, namespace=event.namespace, id=event.packet_id, data=[told]
            )
            self._send_packet(eio_sid, packet)

    @override
    def _handle_eio_disconnect(self, eio_sid: str, reason: str) -> None:
        super()._handle_eio_disconnect(eio_sid, reason)
        self._since.pop(eio_sid, None)
        self._large.pop(eio_sid, None)

    @override
    def _send_packet(self, eio_sid: str, pkt: Any) -> None:
        self._send_eio_packet(eio_sid, Packet(MESSAGE, pkt.encode()))

    @override
    def _send_eio_packet(self, eio_sid: str, eio_pkt: Any) -> None:
        socket = self.eio.sockets.get(eio_sid)
        if socket is None or socket.closed:
            return
        queue = socket.queue
        outbox = queue if isinstance(queue, Outbox) else None
        if queue.qsize() < MAX_UNSENT_PACKETS and (outbox is None or outbox.unsent_bytes < MAX_UNSENT_BYTES):
            socket.send(eio_pkt)
            return
        _log.warning("dropped a connection that does not read", extra={"unsent": queue.qsize()})
        if outbox is not None:
            outbox.forget()
        self._close_transport(eio_sid)

    def _close_transport(self, eio_sid: str) -> None:
        socket = self.eio.sockets.get(eio_sid)
        if socket is not None and not socket.closed:
            socket.close(wait=False, reason=self.reason.SERVER_DISCONNECT)

    def _sweep(self) -> None:
        """Close connections that joined no namespace in time, and do what is to be done now and then."""
        while not self._stopping.wait(timeout=SWEEP_SECONDS):
            for chore in self._chores:
                try:
                    chore()
                except Exception as error:  # noqa: BLE001 - the database may be away for a while; the loop goes on
                    incidents.report(_log, "looking after connections", error)
            late = self._clock.monotonic() - HANDSHAKE_SECONDS
            for eio_sid, since in list(self._since.items()):
                joined = any(self.manager.sid_from_eio_sid(eio_sid, name) for name in self._endpoints)
                if since < late and not joined:
                    self._close_transport(eio_sid)


def _refused(error: FloworkError) -> Exception:
    refused: Exception = socketio.exceptions.ConnectionRefusedError(error.message, {"code": error.code.value})
    return refused


def _quiet(name: str) -> logging.Logger:
    # Below, the library writes whole packets with tokens and signatures, and a line for every stray one.
    logger = logging.getLogger(name)
    logger.setLevel(logging.ERROR)
    return logger
