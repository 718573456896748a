"""``flowork worker`` hands its choices to the worker's process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from flowork.supervisor.service import CHECKOUT
from tests.support.redis import redis_server

COMPLETE = {
    "FLOWORK_ENGINE_ID": "engine-1",
    "DATABASE_URL": "postgresql://nobody:x@127.0.0.1:1/x",
    "ENGINE_WORKER_SECRET": "s" * 32,
}


def flowork_worker(folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "flowork", "worker", *words],
        env={
            "PYTHONPATH": str(CHECKOUT),
            "PATH": "/usr/bin:/bin",
            "FLOWORK_HOME": str(folder),
            **environment,
        },
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


@pytest.mark.parametrize(
    ("words", "environment", "text"),
    [
        ([], {}, "FLOWORK_ENGINE_ID is not set"),
        ([], {**COMPLETE, "REDIS_URL": ""}, "A worker needs Redis"),
        (["--queues", "heavy,nosuch"], COMPLETE, "ENGINE_WORKER_QUEUES"),
        (["--labels", "Not A Label"], COMPLETE, "ENGINE_WORKER_LABELS"),
    ],
)
def test_it_says_what_is_missing_or_wrong(
    tmp_path: Path, words: list[str], environment: dict[str, str], text: str
) -> None:
    done = flowork_worker(tmp_path, *words, **environment)
    assert done.returncode == 78, done.stderr
    assert text in done.stderr
    assert "Traceback" not in done.stderr


def test_a_database_that_is_away_is_told(tmp_path: Path) -> None:
    with redis_server(tmp_path) as redis:
        done = flowork_worker(tmp_path, "--processes", "1", **COMPLETE, REDIS_URL=redis.url)
    assert done.returncode == 78, done.stderr
    assert "PostgreSQL does not answer; look at DATABASE_URL" in done.stderr
