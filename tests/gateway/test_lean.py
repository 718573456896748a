"""What the gateway's process does without."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.gateway.support import ROOT


def test_redis_may_be_set_after_the_first_import() -> None:
    script = (
        "from gateway import lean; lean.import_without_clients({}); import sys; print('redis' in sys.modules);"
        "lean.import_without_clients({'REDIS_URL': 'redis://there'}); import socketio;"
        "print(socketio.RedisManager._redis_connect.__globals__['redis'].__name__)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["False", "redis"]


@pytest.mark.parametrize(
    ("environ", "loaded"),
    [({}, []), ({"REDIS_URL": ""}, []), ({"GATEWAY_REDIS_URL": "redis://there"}, ["redis"])],
)
def test_the_process_loads_no_http_client_and_no_key_library(
    environ: dict[str, str], loaded: list[str]
) -> None:
    unwanted = {"aiohttp", "websocket", "eth_account", "alembic", "sqlalchemy.orm", "redis", "requests"}
    script = (
        f"from gateway import lean; lean.import_without_clients({environ}); import gateway.serve, sys;"
        f"print(sorted({unwanted} & set(sys.modules)));"
        "import aiohttp; print(sys.getrecursionlimit())"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    # The limit matters: a decoder written in C overruns the stack where a library raises it (as py_ecc does).
    assert done.stdout.split("\n")[:2] == [str(loaded), "1000"]
