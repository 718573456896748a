"""gunicorn for the bare applications: the worker of the gateway, and where it listens, written down."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

bind = "127.0.0.1:0"
worker_class = "eventlet"
workers = 1
keepalive = 30


def post_worker_init(worker: Any) -> None:
    """Say where the worker listens."""
    port = worker.sockets[0].getsockname()[1]
    Path(os.environ["BENCH_ADDRESS"]).write_text(json.dumps({"url": f"http://127.0.0.1:{port}"}))
