"""``python -m core_engine.workers``: a worker for an engine, until it is told to stop."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Mapping

from core_engine.settings import PREFIXES, EngineSettings
from core_engine.workers.supervisor import Supervisor
from shared import logs
from shared.clock import SystemClock
from shared.errors import FloworkError
from shared.settings import load


def main(environ: Mapping[str, str]) -> int:
    """Run a worker; return the exit code of the error table, 0 after SIGTERM or SIGINT."""
    try:
        settings = load(EngineSettings, environ, prefixes=PREFIXES)
        logs.configure("worker", level=settings.data.log_level, as_json=settings.data.log_format == "json")
        asyncio.run(_work(Supervisor(settings, environ, SystemClock())))
    except FloworkError as error:
        print(f"flowork worker: {error.message}", file=sys.stderr)  # noqa: T201 - the log may not be set up
        return error.meaning.exit
    return 0


async def _work(supervisor: Supervisor) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await supervisor.run(stop)


if __name__ == "__main__":
    sys.exit(main(os.environ))
