"""``python -m core_engine.workers.consumer NAME [PIPE]``: Celery's own process; it listens, with its pool."""

from __future__ import annotations

import importlib
import logging
import os
import sys
from collections.abc import Mapping
from typing import Any, cast

from celery import Celery  # type: ignore[import-untyped]
from celery.signals import worker_ready  # type: ignore[import-untyped]

from core_engine.components.builtin.docker_container.orphans import remove_orphans
from core_engine.components.files import RootedFiles
from core_engine.components.isolation import rungs
from core_engine.components.isolation.sandbox import Bounds, Sandbox
from core_engine.components.network import NetworkPolicy
from core_engine.components.registry import ComponentRegistry, Services
from core_engine.components.state import ComponentState
from core_engine.components.switches import Switches
from core_engine.settings import PREFIXES, EngineSettings
from core_engine.storage.claims_connection import KeptConnection, postgres_address
from core_engine.storage.claims_work import ClaimedWork
from core_engine.workers.broker import (
    CANARY,
    STEP,
    connect,
    keep_own_logging,
    make_app,
    queue_name,
    queue_names,
)
from core_engine.workers.carrier import Carrier
from core_engine.workers.notes import NotePad
from core_engine.workers.tickets import Seals
from core_engine.workers.wire import speaks
from shared import logs
from shared.clock import Clock, SystemClock
from shared.errors import ErrorCode, FloworkError
from shared.settings import load, reveal

_LOG = logging.getLogger(__name__)
_SHARED = ("httpx",)
"""What many steps would load anew, each in its own process: loaded once, before these are copied from here."""
CALL_SECONDS = 5.0
CANARY_KEPT_SECONDS = 3600


def _say_ready(**_facts: Any) -> None:
    _LOG.info("the worker listens")


class _EngineOnly:
    """Stands for what only the engine has; steps that need it are not sent to workers."""

    def __getattr__(self, name: str) -> Any:
        raise FloworkError(ErrorCode.NOT_IMPLEMENTED, f"Only the engine itself has this ({name}).")


def open_worker_registry(settings: EngineSettings, clock: Clock) -> tuple[ComponentRegistry, RootedFiles]:
    """Build the shipped components and the files they may use, as the settings of this worker say."""
    limits = settings.limits
    services = Services(
        Sandbox(
            most=Bounds(limits.isolated_seconds, limits.isolated_memory_mb),
            max_children=limits.isolated_processes,
            rung=rungs.detect(),  # once for all steps: each runs in a copy of this process
        ),
        NetworkPolicy(limits.http_private_networks.split(",")),
        cast("ComponentState", _EngineOnly()),
        clock,
        Switches(shell_commands=limits.shell_commands, docker_containers=limits.docker_containers),
    )
    return ComponentRegistry(services), RootedFiles(settings.data.roots, settings.data.data_dir)


def canary_key(worker: str) -> str:
    """Return the key in Redis under which a worker answers trial messages."""
    return f"flowork:canary:{worker}"


def make_consumer(settings: EngineSettings, worker: str, pipe: int | None = None) -> Celery:
    """Return the Celery application with its two tasks: carry a step out, answer a trial message.

    Its processes write what they do into ``pipe``, where there is one.
    """
    workers, engine_id, clock = settings.workers, settings.identity.engine_id, SystemClock()
    registry, files = open_worker_registry(settings, clock)
    connection = KeptConnection(
        postgres_address(reveal(settings.shared.database_url)), f"flowork worker {worker}"[:60], CALL_SECONDS
    )
    labels = [part for part in workers.labels.split(",") if part]
    work = ClaimedWork(connection, engine_id, worker, labels, speaks())
    seals = Seals(reveal(workers.secret), engine_id)
    carrier = Carrier(work, seals, registry, files, clock, pad=NotePad(pipe))
    app = make_app(workers.broker_url)

    def answer(number: int) -> None:
        client = connect(workers.broker_url)
        try:
            client.set(canary_key(worker), int(number), ex=CANARY_KEPT_SECONDS)
        finally:
            client.close()

    app.task(name=STEP)(carrier.carry_out)
    app.task(name=CANARY)(answer)
    return app


def main(worker: str, environ: Mapping[str, str], pipe: int | None = None) -> int:
    """Listen until SIGTERM, then end when the running steps have; return the exit code."""
    settings = load(EngineSettings, environ, prefixes=PREFIXES)
    logs.configure("worker", level=settings.data.log_level, as_json=settings.data.log_format == "json")
    keep_own_logging()
    worker_ready.connect(_say_ready)
    workers, engine_id = settings.workers, settings.identity.engine_id
    labels = [part for part in workers.labels.split(",") if part]
    queues = queue_names(engine_id, workers.queues.split(","), labels)
    app = make_consumer(settings, worker, pipe)
    remove_orphans(allowed=settings.limits.docker_containers)
    for name in _SHARED:
        importlib.import_module(name)
    celery = app.Worker(
        hostname=f"flowork@{worker}",
        pool="prefork",
        concurrency=workers.processes,
        queues=[*queues, queue_name(engine_id, "canary", worker)],
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
        quiet=True,
    )
    celery.start()
    return int(celery.exitcode or 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], os.environ, int(sys.argv[2]) if len(sys.argv) > 2 else None))
