"""Periodic work on a real Celery worker with a real Redis."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
from celery import Celery

from gateway.db import migrate
from gateway.db.database import Database
from gateway.resources.engines import queries
from shared.clock import SystemClock
from tests.gateway.support import ROOT, environment
from tests.support.redis import redis_server

OWNER = "0x" + "a" * 40


def counted(database: Database) -> int:
    with database.read() as connection:
        found = connection.exec_driver_sql("SELECT count(*), sum(count) FROM usage_counts").one()
    assert found[0] == (found[1] or 0)
    return int(found[0])


@pytest.mark.timeout(300)  # Celery takes long to import on a busy machine
def test_the_worker_does_the_jobs_of_the_gateway(tmp_path: Path) -> None:
    (tmp_path / "gateway").mkdir()
    database = Database(f"sqlite:///{tmp_path / 'gateway' / 'gateway.db'}")
    migrate.upgrade(database)
    now_ms = SystemClock().now_ms()
    with database.write() as connection:
        queries.add(connection, engine_id="e1", owner=OWNER, name="E", token_hash="h", now_ms=now_ms)
        queries.touch(connection, {"e1": now_ms})
        connection.exec_driver_sql("INSERT INTO replay_keys VALUES (X'01', 5)")
    with redis_server(tmp_path) as redis, (tmp_path / "worker.log").open("w") as log:
        environ = environment(tmp_path, REDIS_URL=redis.url, GATEWAY_JOBS="celery", GATEWAY_JOBS_SECONDS="1")
        words = [
            "-A",
            "gateway.worker",
            "worker",
            "-B",
            "-c",
            "1",
            "-s",
            str(tmp_path / "beat"),
            "-l",
            "INFO",
        ]
        worker = subprocess.Popen(
            [sys.executable, "-m", "celery", *words], cwd=ROOT, env=environ, stdout=log, stderr=log
        )
        try:
            deadline = time.monotonic() + 240
            for rounds in (1, 3):
                while (tmp_path / "worker.log").read_text().count("succeeded") < rounds:
                    assert worker.poll() is None, (tmp_path / "worker.log").read_text()
                    assert time.monotonic() < deadline, (tmp_path / "worker.log").read_text()
                    time.sleep(0.1)
                # A113: whoever writes to the broker cannot end the worker.
                with Celery(broker=redis.url) as foreign:
                    foreign.control.shutdown()
        finally:
            worker.terminate()
            worker.wait(20)
    assert counted(database) in {1, 2}  # two where midnight (UTC) came between
    with database.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM replay_keys").scalar() == 0
    database.close()


def test_without_redis_the_worker_says_what_is_missing(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import gateway.worker"],
        cwd=ROOT,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "The worker needs REDIS_URL." in done.stderr
