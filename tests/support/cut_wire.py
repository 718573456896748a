"""A wire to a server that a test can cut: at once, or at the moment certain bytes pass."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class CutWire:
    """Forwards connections from a free port. ``down`` refuses and cuts all; ``trap`` cuts one at certain bytes."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._guard = threading.Lock()
        self._trap: tuple[bytes, bool, bool] | None = None
        self.sprung = threading.Event()
        self.is_down = False
        self.closed = False
        threading.Thread(target=self._accept, name="cut-wire", daemon=True).start()

    def down(self) -> None:
        """Cut every connection and take no new one."""
        self.is_down = True
        self.cut()

    def up(self) -> None:
        """Take connections again."""
        self.is_down = False

    def cut(self) -> None:
        """Cut every connection."""
        with self._guard:
            pairs, self._pairs = self._pairs, []
        for pair in pairs:
            for end in pair:
                _hang_up(end)

    def trap(self, sent: bytes, *, deliver: bool, down: bool = False) -> None:
        """Cut the connection on which these bytes are sent next, after or before the server got and did them.

        With ``down`` no new connection is taken from that moment on.
        """
        self.sprung.clear()
        self._trap = (sent, deliver, down)

    def close(self) -> None:
        """End."""
        self.closed = True
        self._listener.close()
        self.cut()

    def _accept(self) -> None:
        while not self.closed:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self.is_down:
                _hang_up(client)
                continue
            with suppress(OSError):
                server = socket.create_connection(self._target)
                with self._guard:
                    self._pairs.append((client, server))
                for source, sink, watched in ((client, server, True), (server, client, False)):
                    work = threading.Thread(target=self._pump, args=(source, sink, watched), daemon=True)
                    work.start()

    def _pump(self, source: socket.socket, sink: socket.socket, watched: bool) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                trap = self._trap
                if watched and trap and trap[0] in data:
                    self._trap = None
                    self.is_down = self.is_down or trap[2]
                    self._spring(source, sink, data, deliver=trap[1])
                    return
                sink.sendall(data)
        _hang_up(source)
        _hang_up(sink)

    def _spring(self, client: socket.socket, server: socket.socket, data: bytes, *, deliver: bool) -> None:
        self.sprung.set()  # before anybody can notice
        _hang_up(client)  # so that no answer reaches it
        if deliver:
            server.sendall(data)
            server.shutdown(socket.SHUT_WR)
        else:
            _hang_up(server)


def _hang_up(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    with suppress(OSError):
        end.close()


@contextmanager
def cut_wire(host: str, port: int) -> Iterator[CutWire]:
    """Run a wire."""
    wire = CutWire(host, port)
    try:
        yield wire
    finally:
        wire.close()
