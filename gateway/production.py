"""What the gateway needs of gunicorn; `deploy/gunicorn.conf.py` hands its hooks over to this module."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Collection, Mapping
from typing import Any, NoReturn

from gateway.settings import FOREIGN, PREFIXES, GatewaySettings
from shared.errors import ErrorCode, FloworkError
from shared.settings import load, reveal

WATCH_SECONDS = 0.1


def read_settings(environ: Mapping[str, str]) -> GatewaySettings:
    """Read the settings; where they are not fit for production, end the process with the reason and code 78."""
    try:
        settings = load(GatewaySettings, environ, prefixes=PREFIXES, foreign=FOREIGN)
        require_secret(settings)
    except FloworkError as error:
        refuse(error)
    return settings


def require_secret(settings: GatewaySettings) -> None:
    """Raise CONFIGURATION unless gateway and engine share a secret."""
    if not reveal(settings.security.service_secret):
        raise FloworkError(
            ErrorCode.CONFIGURATION,
            "GATEWAY_SECRET_TOKEN is not set. In production gateway and engine share a secret; make one with: "
            "python -c \"import secrets; print('flork_sec_' + secrets.token_hex(32))\"",
        )


def require_workers(settings: GatewaySettings, workers: int) -> None:
    """End the process with code 78 unless the settings fit so many workers of gunicorn."""
    problem = workers_problem(settings, workers)
    if problem:
        refuse(FloworkError(ErrorCode.CONFIGURATION, problem))


def require_plain_headers(trusted: Collection[str]) -> None:
    """End the process with code 78 where gunicorn would take scheme or path from these headers, whoever sent them."""
    if trusted:
        problem = "Take --forwarder-headers away: the gateway takes scheme and path from no header."
        refuse(FloworkError(ErrorCode.CONFIGURATION, problem))


def workers_problem(settings: GatewaySettings, workers: int) -> str:
    """Return what keeps the gateway from running as so many processes, or an empty string."""
    if workers != settings.server.workers:
        return "Set the number of processes by GATEWAY_WORKERS; take --workers and WEB_CONCURRENCY away."
    if workers > 1 and not settings.storage.shared_redis:
        return "GATEWAY_WORKERS above 1 needs REDIS_URL: without it each process would know only its own sockets."
    if workers > 1 and not reveal(settings.storage.database_url).startswith("postgres"):
        return "GATEWAY_WORKERS above 1 needs a PostgreSQL database in DATABASE_URL."
    return ""


def close_sockets_at_stop(worker: Any) -> None:
    """Close the worker's sockets as soon as it is told to stop; a graceful stop would wait for them to the end."""

    def watch() -> None:
        while worker.alive:
            time.sleep(WATCH_SECONDS)
        worker.wsgi.close_sockets()

    threading.Thread(target=watch, name="gateway-stop", daemon=True).start()


def refuse(error: FloworkError) -> NoReturn:
    """End the process with a readable reason."""
    print(f"flowork gateway: {error.message}", file=sys.stderr)  # noqa: T201 - the log may not be set up
    sys.exit(error.meaning.exit)
