"""A service as a running child process: its output, its readiness, its end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO

import httpx

from flowork.places import Address
from flowork.supervisor.service import Service
from flowork.supervisor.signals import undisturbed
from shared.errors import ERROR_TABLE, ErrorCode, FloworkError

LineSink = Callable[[str, str], None]
LAUNCHER = Path(__file__).with_name("launch.py")
MAX_LINE = 16 * 1024
REMEMBERED_LINES = 40
_POLL_SECONDS = 0.02
_HEALTH_SECONDS = 2.0


class Child:
    """One start of a service. The sink gets ``(service name, line)`` from a thread of this object."""

    def __init__(self, service: Service, sink: LineSink) -> None:
        self.service = service
        self.started_at = time.monotonic()
        self._sink = sink
        self._last: deque[str] = deque(maxlen=REMEMBERED_LINES)
        service.address_file.unlink(missing_ok=True)  # an earlier start's
        # Its own session: a Ctrl-C in the terminal reaches the supervisor alone, which ends its children in order.
        self._process = subprocess.Popen(
            [sys.executable, "-P", str(LAUNCHER), str(os.getpid()), service.module],
            env=dict(service.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        assert self._process.stdout is not None  # noqa: S101 - follows from stdout=PIPE
        self._reader = threading.Thread(
            target=self._read, args=(self._process.stdout,), name=f"{service.name} output", daemon=True
        )
        self._reader.start()

    @property
    def exit_code(self) -> int | None:
        """How the process ended, or None while it runs."""
        return self._process.poll()

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def last_words(self) -> list[str]:
        """Return the latest lines of its output."""
        if self.exit_code is not None:
            self._reader.join(1.0)
        return list(self._last)

    def wait_ready(self, seconds: float) -> Address:
        """Wait until the service says where it listens and answers there.

        Raises the service's own start error when it ends instead, DEADLINE_EXCEEDED after the seconds.
        """
        end = time.monotonic() + seconds
        with httpx.Client(trust_env=False, timeout=_HEALTH_SECONDS) as http:
            while time.monotonic() < end:
                if self.exit_code is not None:
                    raise self.start_error()
                address = self.service.read_address()
                if address and _answers(http, address.url + self.service.health_path):
                    return address
                time.sleep(_POLL_SECONDS)
        raise FloworkError(
            ErrorCode.DEADLINE_EXCEEDED, f"The {self.service.name} was not ready within {seconds:g} seconds."
        )

    def start_error(self) -> FloworkError:
        """Return why the process ended: the code that its exit status stands for, and its last line."""
        status = self.exit_code
        known = [
            code for code in (ErrorCode.CONFIGURATION, ErrorCode.CONFLICT) if ERROR_TABLE[code].exit == status
        ]
        last = next((line for line in reversed(self.last_words()) if line.strip()), "it said nothing")
        return FloworkError(
            known[0] if known else ErrorCode.INTERNAL,
            f"The {self.service.name} ended with status {status}: {last.strip()}",
        )

    def ask_to_stop(self) -> None:
        """Send SIGTERM."""
        if self.exit_code is None:
            self._process.terminate()

    def wait_stopped(self, seconds: float) -> None:
        """Wait for the end; kill the process and whatever it left behind when the time is over."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(max(0.0, seconds))
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._reader.join(1.0)

    def _read(self, stream: IO[bytes]) -> None:
        with stream:
            while raw := stream.readline(MAX_LINE):
                line = raw.decode("utf-8", "replace").rstrip("\r\n")
                self._last.append(line)
                # The output may have nowhere to go any more; the service must not block because of it.
                with suppress(OSError, ValueError):
                    self._sink(self.service.name, line)


def stop_all(children: list[Child], seconds: float) -> None:
    """Stop children together, each politely at first, all within the seconds."""
    end = time.monotonic() + seconds
    with undisturbed():
        for child in children:
            child.ask_to_stop()
        for child in children:
            child.wait_stopped(end - time.monotonic())


def _answers(http: httpx.Client, url: str) -> bool:
    try:
        return http.get(url).is_success
    except httpx.HTTPError:
        return False
