"""What the gateway's process does without."""

from __future__ import annotations

import os
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


def test_garbage_is_collected_from_the_moment_a_worker_serves(tmp_path) -> None:
    script = """
import gc, os, runpy, socket
from types import SimpleNamespace

def told():
    return gc.isenabled(), gc.get_freeze_count() > 0

config = runpy.run_path("deploy/gunicorn.conf.py")
print(told())
config["pre_fork"](None, None)
print(told())
config["post_fork"](None, None)
print(told())
with socket.create_server(("127.0.0.1", 0)) as listener:
    wsgi = SimpleNamespace(close_sockets=lambda: None)
    config["post_worker_init"](SimpleNamespace(alive=False, wsgi=wsgi, sockets=[listener]))
print(told())
"""
    environ = {"PATH": os.environ["PATH"], "FLOWORK_DATA_DIR": str(tmp_path)}
    environ |= {"GATEWAY_SECRET_TOKEN": "flork_sec_" + "7" * 64, "PYTHONPATH": str(ROOT)}
    (tmp_path / "gateway").mkdir()
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True, env=environ
    )
    assert done.stdout.splitlines() == ["(False, False)", "(True, True)", "(False, True)", "(True, True)"]
