"""One engine in this process, until it is told to stop."""

from __future__ import annotations

import asyncio
import logging
import resource
import signal
import sys
from collections.abc import Mapping

import uvloop

from core_engine.app import serve
from core_engine.settings import PREFIXES, EngineSettings
from shared import logs
from shared.errors import FloworkError
from shared.settings import load

_log = logging.getLogger(__name__)

OPEN_FILES = 65_536


def main(environ: Mapping[str, str]) -> int:
    """Run an engine; return the exit code of the error table, 0 after SIGTERM or SIGINT."""
    try:
        settings = load(EngineSettings, environ, prefixes=PREFIXES)
        logs.configure("engine", level=settings.data.log_level, as_json=settings.data.log_format == "json")
        _allow_connections()
        uvloop.run(_serve(settings))
    except FloworkError as error:
        print(f"flowork engine: {error.message}", file=sys.stderr)  # noqa: T201 - the log may not be set up
        return error.meaning.exit
    return 0


async def _serve(settings: EngineSettings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await serve(settings, stop)


def _allow_connections() -> None:
    """Raise the limit on open files: each connection is one, and the usual limit is lower than ours."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    except (OSError, ValueError):
        _log.warning("cannot raise the limit on open files", extra={"limit": soft})
