"""Waiting for the signal to stop, the same way on green threads and on real ones."""

from __future__ import annotations

import signal
import socket
from types import FrameType

SIGNALS = (signal.SIGTERM, signal.SIGINT)


class StopSignal:
    """Turns SIGTERM and SIGINT into a byte on a socket, on which any runtime can wait.

    A handler that acted itself would do so in the middle of whatever is running, eventlet's own loop included.
    """

    def __init__(self) -> None:
        self._reader, self._writer = socket.socketpair()
        self._writer.setblocking(False)
        signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        self._before = {number: signal.signal(number, _ignore) for number in SIGNALS}

    def wait(self) -> None:
        """Return when one of the signals has come."""
        self._reader.recv(1)

    def close(self) -> None:
        """Give the signals back the meaning they had."""
        signal.set_wakeup_fd(-1)
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._reader.close()
        self._writer.close()


def _ignore(_number: int, _frame: FrameType | None) -> None:
    """Let the wake-up byte speak."""
