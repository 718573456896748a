"""Starting several: the schema is made once, gunicorn runs as many as are set, and what does not fit is refused."""

from __future__ import annotations

import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from gateway import startup
from gateway.db import migrate
from gateway.db.database import Database
from shared.clock import SystemClock
from shared.ids import new_engine_token
from shared.signing.keys import WalletKey
from tests.gateway.cluster.conftest import Databases
from tests.gateway.support import ROOT, Gateway, engine, environment, gui, process, settings
from tests.support.redis import RedisServer

SECRET = "flork_sec_" + "7" * 16
GUNICORN = ["-m", "gunicorn", "-c", "deploy/gunicorn.conf.py", "gateway.wsgi:app"]


def test_gateways_that_start_at_once_migrate_and_seed_once(tmp_path: Path, postgres: Databases) -> None:
    url = postgres.create_database()
    bundled = {"GATEWAY_BUNDLED_ENGINE_ID": "eng", "GATEWAY_BUNDLED_ENGINE_TOKEN": new_engine_token()}
    given = settings(tmp_path, DATABASE_URL=url, **bundled)

    def start(_number: int) -> str | None:
        database = Database(url)
        try:
            migrate.upgrade(database)
            startup.seed(given, database, SystemClock())
            with database.read() as connection:
                assert connection.exec_driver_sql("SELECT count(*) FROM engines").scalar() == 1
                assert connection.exec_driver_sql("SELECT count(*) FROM audit_head").scalar() == 1
                return migrate.current(connection)
        finally:
            database.close()

    with ThreadPoolExecutor(4) as starts:
        assert set(starts.map(start, range(4))) == {migrate.revisions()[-1]}


def figures(gateway: Gateway) -> list[str]:
    answer = httpx.get(f"{gateway.url}/metrics", headers={"X-API-Key": SECRET}, timeout=30)
    assert answer.status_code == 200, answer.text
    return answer.text.splitlines()


@pytest.mark.parametrize("mode", ["eventlet", "threading"])
async def test_gunicorn_runs_two_workers_as_one_gateway(
    tmp_path: Path, wallet: WalletKey, mode: str, redis: RedisServer, postgres: Databases
) -> None:
    given = {"GATEWAY_ASYNC_MODE": mode, "GATEWAY_SECRET_TOKEN": SECRET, "GATEWAY_WORKERS": "2"}
    given |= {"REDIS_URL": redis.url, "DATABASE_URL": postgres.create_database()}
    with process(GUNICORN, tmp_path, **given) as gateway:
        engine_id, token = gateway.register_engine(wallet)
        async with engine(gateway, engine_id, token, headers={"X-API-Key": SECRET}):
            for _ in range(6):
                async with gui(gateway, wallet) as page:
                    statuses = await page.next("initial_engine_statuses")
                    assert [item["status"] for item in statuses] == ["online"]
        # Whichever process answers tells the figures of both.
        told = {line for _ in range(8) for line in figures(gateway) if "_connects_total{" in line}
        assert told == {
            'flowork_gateway_socket_connects_total{namespace="gui",outcome="ok"} 6.0',
            'flowork_gateway_socket_connects_total{namespace="engine",outcome="ok"} 1.0',
        }
        refused = gateway.send("GET", "/api/socket.io/?EIO=4&transport=polling")
        assert refused.status_code == 400
        assert gateway.process is not None
        gateway.process.terminate()
        assert gateway.process.wait(60) == 0
    log = (tmp_path / "log.txt").read_text()
    assert log.count("Booting worker") == 2
    assert "Traceback" not in log


@pytest.mark.parametrize(
    ("environ", "arguments", "reason"),
    [
        ({"GATEWAY_WORKERS": "2"}, [], "needs REDIS_URL"),
        ({"GATEWAY_WORKERS": "2", "REDIS_URL": "redis://127.0.0.1:1"}, [], "needs a PostgreSQL database"),
        ({"GATEWAY_WORKERS": "1"}, ["--workers", "2"], "Set the number of processes by GATEWAY_WORKERS"),
    ],
)
def test_several_workers_are_refused_where_they_would_not_know_each_other(
    tmp_path: Path, environ: dict[str, str], arguments: list[str], reason: str
) -> None:
    command = [sys.executable, *GUNICORN, *arguments]
    given = environment(tmp_path, GATEWAY_SECRET_TOKEN=SECRET, **environ)
    done = subprocess.run(
        command, cwd=ROOT, env=given, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 78
    assert reason in done.stderr


def test_a_redis_that_does_not_answer_is_a_reason_without_its_password(tmp_path: Path) -> None:
    given = environment(
        tmp_path, GATEWAY_ASYNC_MODE="threading", REDIS_URL="redis://:pass-word@127.0.0.1:1/0"
    )
    done = subprocess.run(
        [sys.executable, "-m", "gateway"],
        cwd=ROOT, env=given, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 78
    assert "The Redis of REDIS_URL cannot be used (ConnectionError)." in done.stderr
    assert not re.search("pass-word|Traceback", done.stderr)


def test_limits_are_counted_together(
    tmp_path: Path, wallet: WalletKey, redis: RedisServer, postgres: Databases
) -> None:
    given = {"GATEWAY_ASYNC_MODE": "threading", "GATEWAY_RATE_PER_ADDRESS": "4"}
    given |= {"REDIS_URL": redis.url, "DATABASE_URL": postgres.create_database()}
    with (
        process(["-m", "gateway"], tmp_path / "first", **given) as first,
        process(["-m", "gateway"], tmp_path / "second", **given) as second,
    ):
        answers = [each.call(wallet, "GET", "/auth/profile").status_code for each in (first, second) * 3]
        assert answers == [200] * 4 + [429] * 2
