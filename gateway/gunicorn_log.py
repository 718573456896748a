"""The log of gunicorn without its access log, whose lines would be put together for each request and then dropped."""

from __future__ import annotations

from gunicorn import glogging
from typing_extensions import override


class QuietLogger(glogging.Logger):  # type: ignore[misc] # gunicorn has no types
    """Writes what happens to the server, not what it is asked: the addresses of requests may hold ids of sockets."""

    @property
    @override
    def access_log_enabled(self) -> bool:
        return False
