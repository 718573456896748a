"""Runs ``flowork up`` as a user does, and reads what it says."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

from tests.support.platform import ROOT, wait_for

FREE = {"GATEWAY_PORT": "0", "ENGINE_SOCKET_PORT": "0", "ENGINE_HTTP_PORT": "0", "PYTHONPATH": str(ROOT)}
OURS = ("GATEWAY_", "ENGINE_", "FLOWORK_")


class Up:
    """A running ``flowork up``."""

    def __init__(self, folder: Path, **environment: str) -> None:
        clean = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "flowork", "up"],
            cwd=folder,
            env=clean | FREE | {"FLOWORK_DATA_DIR": "data"} | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.said: list[str] = []
        self._reader = threading.Thread(target=self._read, name="up output")
        self._reader.start()

    def wait_line(self, pattern: str) -> str:
        """Wait until it has said something that matches; return the first group."""

        def found() -> str | None:
            match = re.search(pattern, "\n".join(self.said))
            assert match or self._process.poll() is None, self.said
            return match[1] if match else None

        return wait_for(found, f"{pattern} in {self.said}")

    def stop(self) -> None:
        """End it politely."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(30)
        self._reader.join(10)

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout:
            self.said.extend(line.rstrip("\n") for line in self._process.stdout)


@contextlib.contextmanager
def running(folder: Path, **environment: str) -> Iterator[Up]:
    """Start it, and stop it at the end."""
    up = Up(folder, **environment)
    try:
        yield up
    finally:
        up.stop()
