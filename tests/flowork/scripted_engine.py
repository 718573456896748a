"""An engine's socket that follows a script: it answers, floods, skips or hangs up exactly when the test says so."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from websockets.sync.server import ServerConnection, serve

from shared.clock import SystemClock
from shared.signing.envelope import EnvelopeVerifier
from shared.signing.replay import ReplayWindow

ENGINE_ID = "scripted"
Frame = dict[str, Any]


class Peer:
    """One connection as the script sees it; every message is verified as an engine does."""

    def __init__(self, connection: ServerConnection, verifier: EnvelopeVerifier) -> None:
        self._connection = connection
        self._verifier = verifier

    def take(self, kind: str | None = None) -> Frame:
        """Return the payload of the next message; fail when it is not of that type or not signed for us."""
        opened = self._verifier.open(self._connection.recv(timeout=10, decode=False), SystemClock().now_ms())
        assert opened.bound
        assert kind in (None, opened.payload["type"]), opened.payload
        return opened.payload

    def give(self, *frames: Frame, batch: bool = False) -> None:
        """Send frames, one by one or as a batch."""
        if batch:
            self._connection.send(json.dumps({"type": "batch", "frames": frames}))
            return
        for frame in frames:
            self._connection.send(json.dumps(frame))

    def hang_up(self, code: int = 1001, reason: str = "") -> None:
        """Close the connection."""
        self._connection.close(code, reason)


Script = Callable[[Peer], None]


@contextmanager
def scripted_engine(*scripts: Script, forever: Script | None = None) -> Iterator[str]:
    """Serve one script for each connection, in order, then one for all others; raise what a script raised."""
    waiting = list(scripts)
    failures: list[BaseException] = []
    verifier = EnvelopeVerifier(ENGINE_ID, "bound", ReplayWindow())

    def handle(connection: ServerConnection) -> None:
        assert connection.request is not None
        try:
            assert connection.request.path == f"/?engineId={ENGINE_ID}&frames=batch"
            script = waiting.pop(0) if waiting or forever is None else forever
            script(Peer(connection, verifier))
        except BaseException as error:  # noqa: BLE001 - it belongs to the test's thread
            failures.append(error)

    with serve(handle, "127.0.0.1", 0, close_timeout=1) as server:
        thread = threading.Thread(target=server.serve_forever, name="scripted engine")
        thread.start()
        try:
            yield f"ws://127.0.0.1:{server.socket.getsockname()[1]}"
        finally:
            server.shutdown()
            thread.join(10)
    assert not failures, failures
    assert not waiting, f"{len(waiting)} connection(s) did not come"


def status(seq: int, state: str, job_id: str, request_id: str | None = None) -> Frame:
    """Return a status event of a run."""
    frame: Frame = {"type": "workflow_status_update", "job_id": job_id, "seq": seq}
    frame["status_data"] = {"status": state, "start_time": None, "end_time": None, "error_message": None}
    return frame | ({"request_id": request_id} if request_id else {})


def log(seq: int, job_id: str) -> Frame:
    """Return a log event of a run."""
    line = {"level": "INFO", "source": "test", "message": f"line {seq}", "timestamp": "2026-01-01T00:00:00Z"}
    return {"type": "log", "job_id": job_id, "seq": seq} | line
