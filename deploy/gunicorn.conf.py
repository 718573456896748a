"""gunicorn's settings for the gateway: ``gunicorn -c deploy/gunicorn.conf.py gateway.wsgi:app``.

They come from the environment like all others; docs/settings.md lists them. Why eventlet, and why gunicorn below 26,
stands in docs/adr/0002-eventlet.md.
"""

# ruff: noqa: E402, INP001 - gunicorn runs this file by its path; patching comes before the other imports

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from gateway import green, lean
from shared import collector

collector.pause()
green.patch_if_chosen()  # the master imports what follows, too

from gateway import address, production
from gateway.telemetry import shared_files

_settings = production.read_settings(os.environ)
_server = _settings.server
shared_files.choose_folder(os.environ, _server.workers)  # read when the library is imported
# Imported once, here: the workers are copies of this process and share its memory.
lean.import_without_clients(os.environ)

bind = f"[{_server.host}]:{_server.port}" if ":" in _server.host else f"{_server.host}:{_server.port}"
worker_class = "eventlet" if _server.async_mode == "eventlet" else "gthread"
# One holds thousands of WebSockets, one green thread or thread each; more need REDIS_URL and PostgreSQL.
workers = _server.workers
worker_connections = 4096
threads = 512
timeout = 60
# A stop waits for idle connections as long as this, and for answers that are being given as long as the next;
# sockets are closed at once (see post_worker_init).
keepalive = 2
graceful_timeout = 5
# Scheme and path are taken from no header: behind a tunnel every client comes from this machine. So no address has to
# be looked at for each request, either; which proxies count is GATEWAY_TRUSTED_PROXIES.
secure_scheme_headers: dict[str, str] = {}
forwarder_headers = ""
forwarded_allow_ips = "*"
control_socket_disable = True
logger_class = "gateway.gunicorn_log.QuietLogger"
loglevel = _server.log_level.lower()
logconfig_dict = {
    "formatters": {
        "generic": {
            "()": "shared.logs.LineFormatter",
            "service": "gateway",
            "as_json": _server.log_format == "json",
        }
    },
    "root": {"handlers": []},
    "loggers": {
        "gunicorn.error": {"level": "INFO", "handlers": ["error_console"], "propagate": False},
        # Its lines would hold the ids of polling connections, which stand in their addresses.
        "gunicorn.access": {"level": "CRITICAL", "handlers": [], "propagate": False},
    },
}


def on_starting(server: Any) -> None:
    """Check what the command line may have changed."""
    production.require_workers(_settings, server.cfg.workers)
    production.require_plain_headers([*server.cfg.forwarder_headers, *server.cfg.secure_scheme_headers])


def pre_fork(server: Any, worker: Any) -> None:  # noqa: ARG001 - gunicorn calls it so
    """Keep what is there out of the collector's rounds, which would copy it into each worker."""
    collector.resume()


def post_fork(server: Any, worker: Any) -> None:  # noqa: ARG001 - gunicorn calls it so
    """Begin the worker's own part of the start."""
    collector.pause()


def post_worker_init(worker: Any) -> None:
    """Say where the gateway listens, and prepare a quick stop."""
    collector.resume()
    production.close_sockets_at_stop(worker)
    address.announce(_settings, _server.host, worker.sockets[0].getsockname()[1])


def child_exit(server: Any, worker: Any) -> None:  # noqa: ARG001 - gunicorn calls it so
    """Count the worker's open sockets no longer."""
    shared_files.forget(worker.pid)


def on_exit(server: Any) -> None:  # noqa: ARG001 - as above
    """Take the address and the figures back."""
    address.withdraw(_settings)
    shared_files.remove_folder(os.environ)
