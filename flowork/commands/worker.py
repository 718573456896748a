"""``flowork worker``: carries out steps for an engine, on this machine or any other."""

from __future__ import annotations

import click

from flowork.supervisor.service import become
from flowork.terminal.session import Terminal


@click.command()
@click.option("--queues", help="Queues to serve, such as default,heavy (ENGINE_WORKER_QUEUES).")
@click.option("--labels", help="What this machine has, such as gpu (ENGINE_WORKER_LABELS).")
@click.option(
    "--processes", type=click.IntRange(1, 512), help="Steps at the same time (ENGINE_WORKER_PROCESSES)."
)
@click.pass_obj
def command(terminal: Terminal, *, queues: str | None, labels: str | None, processes: int | None) -> None:
    """Start a worker that carries out steps for an engine with ENGINE_STEPS=workers.

    It needs the engine's FLOWORK_ENGINE_ID, REDIS_URL, DATABASE_URL (PostgreSQL) and ENGINE_WORKER_SECRET. At SIGTERM
    it takes no more steps and ends when its own have ended.
    """
    given = {
        "ENGINE_WORKER_QUEUES": queues,
        "ENGINE_WORKER_LABELS": labels,
        "ENGINE_WORKER_PROCESSES": str(processes) if processes else None,
    }
    chosen = {name: value for name, value in given.items() if value}
    become("core_engine.workers", {**terminal.environ, **chosen})
