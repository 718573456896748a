"""Keeps libraries that the gateway does not use out of its process: a fifth of its start, and some of its memory."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping

# Only the clients inside python-engineio want these, and do without where they are missing.
UNUSED = ("aiohttp", "requests", "websocket")
REDIS_SETTINGS = ("REDIS_URL", "GATEWAY_REDIS_URL")


def import_without_clients(environ: Mapping[str, str]) -> None:
    """Import `socketio` as if its optional client libraries were not installed, Redis' only where one is set."""
    wanted = any(environ.get(name) for name in REDIS_SETTINGS)
    if wanted and _lacks_redis():
        # An earlier import did not know it yet: gunicorn sets what `--env` names only after its own settings.
        importlib.reload(sys.modules["socketio.redis_manager"])
    blocked = [name for name in (*UNUSED, *(() if wanted else ("redis",))) if name not in sys.modules]
    sys.modules.update(dict.fromkeys(blocked))  # None makes an import fail at once
    try:
        import socketio  # noqa: F401, PLC0415 - imported for its side effect, after the block
    finally:
        for name in blocked:
            del sys.modules[name]


def _lacks_redis() -> bool:
    manager = sys.modules.get("socketio.redis_manager")
    return manager is not None and manager.redis is None
