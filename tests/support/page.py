"""A web page of the stock kind, in a real Node: sends events, reads what arrives in order."""

from __future__ import annotations

import json
import queue
import subprocess
import threading
from collections.abc import Callable
from typing import Any, Self

from shared.signing.keys import WalletKey
from tests.support import node

WAIT = 30.0
FINAL = {"SUCCEEDED", "FAILED", "STOPPED"}


def body(data: Any) -> Any:
    """Read an event's data as the stock client does."""
    return data.get("payload") or data


class Page:
    """One page; use it as a context manager."""

    def __init__(self, gateway_url: str, wallet: WalletKey) -> None:
        self._process = node.client(
            "gui_page.mjs", gateway_url, wallet.private_key_hex(), stdin=subprocess.PIPE
        )
        self.told: list[tuple[str, Any]] = []
        self._news: queue.Queue[tuple[str, Any]] = queue.Queue()
        self._reader = threading.Thread(target=self._read, name="page output")

    def __enter__(self) -> Self:
        self._reader.start()
        self.next("connect")
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._reader.join(10)
        self._process.wait(10)
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            stream.close()

    def send(self, event: str, **fields: Any) -> None:
        """Emit an event; ``target`` is the engine's id."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"event": event, **fields}) + "\n")
        self._process.stdin.flush()

    def next(self, event: str, wanted: Callable[[Any], bool] = lambda _: True) -> Any:
        """Wait for an event and return its data as the stock client reads it; others are kept in ``told``."""
        while True:
            name, data = self._news.get(timeout=WAIT)
            self.told.append((name, data))
            if name == event and wanted(body(data) if data else data):
                return body(data) if data else data

    def finish(self, job_id: str) -> dict[str, Any]:
        """Wait for a run's final status."""
        return self.next(
            "WORKFLOW_EXECUTION_UPDATE",
            lambda data: data["job_id"] == job_id and data["status_data"]["status"] in FINAL,
        )

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            said = json.loads(line)
            self._news.put((said["event"], said["data"]))
