"""A load balancer of TCP connections: each goes to the next server in turn, whoever asks."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from itertools import cycle


class Balancer:
    """Where clients connect; the servers behind may be named later than the port."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._targets: Iterator[int] = iter(())
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self.port = self._listener.getsockname()[1]

    def start(self, *ports: int) -> None:
        self._targets = cycle(ports)
        threading.Thread(target=self._serve, name="balancer", daemon=True).start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for end in self._open:
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", next(self._targets)))
            with self._lock:
                self._open |= {client, server}
            left = [2]
            for source, sink in ((client, server), (server, client)):
                threading.Thread(target=self._pass, args=(source, sink, left), daemon=True).start()

    def _pass(self, source: socket.socket, sink: socket.socket, left: list[int]) -> None:
        """Pass on what comes; the second direction that ends closes both ends."""
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_WR)
        with self._lock:
            left[0] -= 1
            if left[0]:
                return
            self._open -= {source, sink}
        source.close()
        sink.close()


@contextlib.contextmanager
def balancer() -> Iterator[Balancer]:
    made = Balancer()
    try:
        yield made
    finally:
        made.close()
