"""The engine is killed in the middle of a run: after a restart the run finishes and no finished node ran twice."""

from __future__ import annotations

import http.server
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import ClientConnection, connect

from shared.signing.envelope import seal
from tests.support.platform import Platform, running_platform

STEPS = 8


class Effects(http.server.ThreadingHTTPServer):
    """Stands for the outside world: counts how often each step's effect arrived."""

    daemon_threads = True

    def __init__(self) -> None:
        self.hits: Counter[str] = Counter()
        self.arrived = threading.Condition()
        super().__init__(("127.0.0.1", 0), EffectHandler)


class EffectHandler(http.server.BaseHTTPRequestHandler):
    server: Effects

    def do_GET(self) -> None:
        with self.server.arrived:
            self.server.hits[self.path] += 1
            self.server.arrived.notify_all()
        time.sleep(0.1)
        body = b'{"ok": true}'
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        return


@pytest.fixture
def effects() -> Iterator[Effects]:
    server = Effects()
    thread = threading.Thread(target=server.serve_forever, name="effects")
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def chain(url: str) -> dict[str, Any]:
    nodes = [
        {
            "id": f"n{i}",
            "name": f"Step {i}",
            "module_id": "http_request",
            "config_values": {"url": f"{url}/n{i}"},
        }
        for i in range(STEPS)
    ]
    edges = [{"id": f"e{i}", "source": f"n{i}", "target": f"n{i + 1}"} for i in range(STEPS - 1)]
    return {"nodes": nodes, "connections": edges}


def send(socket: ClientConnection, platform: Platform, payload: dict[str, Any]) -> None:
    socket.send(seal(platform.owner, platform.engine_id, payload, now_ms=time.time_ns() // 1_000_000))


def frames(socket: ClientConnection) -> Iterator[dict[str, Any]]:
    while True:
        frame = json.loads(socket.recv(timeout=30))
        if frame["type"] != "engine_status_update":
            yield frame


def test_killed_engine_finishes_the_run(tmp_path: Path, effects: Effects) -> None:
    url = f"http://127.0.0.1:{effects.server_port}"
    with running_platform(tmp_path, ENGINE_HTTP_PRIVATE_NETWORKS="127.0.0.0/8") as platform:
        address = f"{platform.socket_url}/?engineId={platform.engine_id}"
        finished: set[str] = set()
        last_seq = 0
        with connect(address) as socket:
            send(
                socket,
                platform,
                {"type": "execute_workflow", "job_id": "crash-1", "workflow_data": chain(url)},
            )
            for frame in frames(socket):
                last_seq = frame["seq"]
                if frame["type"] == "NODE_EXECUTION_METRIC" and frame["status"] == "SUCCESS":
                    finished.add(frame["node_id"])
                if len(finished) == STEPS // 2:
                    break
            platform.services[1].kill()
        platform.start_engine()
        with connect(address) as socket:
            send(socket, platform, {"type": "subscribe_run", "job_id": "crash-1", "after_seq": last_seq})
            seen = []
            for frame in frames(socket):
                if frame["type"] == "run_subscribed":
                    continue
                seen.append(frame["seq"])
                if frame["type"] == "workflow_status_update" and frame["status_data"]["status"] != "RUNNING":
                    break
            assert frame["status_data"]["status"] == "SUCCEEDED", frame
            assert seen == list(range(last_seq + 1, last_seq + 1 + len(seen))), "gap or repeat in the events"
            send(socket, platform, {"type": "get_run", "job_id": "crash-1"})
            run = next(frame for frame in frames(socket) if frame["type"] == "run_response")
    assert len(finished) == STEPS // 2
    assert {node["status"] for node in run["nodes"]} == {"SUCCESS"}
    assert {node: effects.hits[f"/{node}"] for node in finished} == dict.fromkeys(finished, 1)
    assert sum(effects.hits.values()) <= STEPS + 1, "only the interrupted step may have been tried again"
