"""B8: steps that only compute, carried out by one and by two Celery workers on the machine's cores."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import uvloop

from benchmarks import cores
from benchmarks.figures import MissingError, Row, Scale
from benchmarks.real_parts import or_missing, support
from benchmarks.runs import closed_loop, orders
from benchmarks.servers import ENGINE_ID, ROOT, engine
from benchmarks.workflows import adding, chain
from shared.signing.keys import WalletKey

WORK = "runs that only compute, 2 workers"
DEADLINE_SECONDS = 180
RUNS = 16
LOOPS = 4_000_000
CODE = "def run(payload, log):\n    return {'data': {'n': sum(i * i for i in range(%d))}}\n"
BARE = "sum(i * i for i in range(%d))"
READY_SECONDS = 60.0


def measure(scale: Scale) -> list[Row]:
    """Return how much faster two workers are than one, and how much two bare processes are."""
    if len(cores.ALL) < 2:
        raise MissingError("two workers need two cores, and this machine has one")
    os.sched_setaffinity(0, cores.ALL)
    bare = bare_speedup(scale)
    wallet = WalletKey.create()[0]
    with tempfile.TemporaryDirectory() as name, or_missing():
        folder = Path(name)
        redis, postgres = support("redis"), support("postgres")
        with (
            redis.redis_server(folder, password="pass-word") as broker,
            postgres.postgres_server() as database,
        ):
            environ = settings(folder, broker.url, database.url)
            with engine(folder, wallet.address, environ, on=cores.ALL) as at, worker(folder, environ, 1):
                one = scale.median(lambda: rate(at["socket"], wallet, scale.of(RUNS)))
                with worker(folder, environ, 2):
                    two = scale.median(lambda: rate(at["socket"], wallet, scale.of(RUNS)))
    note = f"two bare processes: {bare:.2f}"
    return [Row("B8", WORK, "/s", two, one, "1 worker", 1.8, note=note)]


def settings(folder: Path, redis_url: str, database_url: str) -> dict[str, str]:
    """Return what the engine and its workers are both given."""
    return {
        "FLOWORK_ENGINE_ID": ENGINE_ID,
        "FLOWORK_DATA_DIR": str(folder),
        "ENGINE_STEPS": "workers",
        "ENGINE_WORKER_SECRET": "what the benchmark's engine and workers share",
        "ENGINE_WORKER_PROCESSES": "1",
        "ENGINE_REDIS_URL": redis_url,
        "DATABASE_URL": database_url,
    }


@contextlib.contextmanager
def worker(folder: Path, environ: dict[str, str], number: int) -> Iterator[None]:
    """Run a worker of one process; it listens when the block begins."""
    log = folder / f"worker-{number}.log"
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "core_engine.workers"], cwd=folder,
            env=kept | {"PYTHONPATH": str(ROOT)} | environ, stdout=output, stderr=output,
        )  # fmt: skip
    try:
        deadline = time.monotonic() + READY_SECONDS
        while "the worker listens" not in log.read_text():
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the worker did not start: {log.read_text()[-400:]}")
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)


def rate(url: str, wallet: WalletKey, count: int) -> float:
    """Return the runs carried out a second."""
    workflow = chain(1, module="function_runner_module", settings={"python_code": CODE % LOOPS})
    made = orders(wallet, count, workflow, adding(0))
    result = uvloop.run(closed_loop(url, made, connections=1, window=count, batch=True))
    result.check(made)
    return count / result.seconds


def bare_speedup(scale: Scale) -> float:
    """Return how much faster two processes that only compute are than one, as the machine allows it."""
    command = [sys.executable, "-c", BARE % (10 * LOOPS)]

    def seconds(processes: int) -> float:
        started = time.perf_counter()
        for process in [subprocess.Popen(command) for _ in range(processes)]:
            process.wait()
        return time.perf_counter() - started

    return 2 * scale.median(lambda: seconds(1)) / scale.median(lambda: seconds(2))
