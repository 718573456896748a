"""The connection to the Redis that gateway processes share, and the names of what is kept there."""

from __future__ import annotations

from typing import Any

from shared.errors import ErrorCode, FloworkError

PREFIX = "flowork:gateway"
SECONDS = 5.0


def connect(url: str) -> Any:
    """Return a client that gives text; raises CONFIGURATION where the URL is none or Redis does not answer."""
    import redis  # noqa: PLC0415 - only where several processes are wanted

    try:
        client: Any = redis.Redis.from_url(
            url,
            decode_responses=True,
            socket_timeout=SECONDS,
            socket_connect_timeout=SECONDS,
            health_check_interval=15,
        )
        client.ping()
    except (redis.RedisError, ValueError) as error:
        # Not the error's text: it may repeat the URL, and with it the password.
        raise FloworkError(
            ErrorCode.CONFIGURATION, f"The Redis of REDIS_URL cannot be used ({type(error).__name__})."
        ) from error
    return client


def name(*parts: str) -> str:
    """Return the key of something."""
    return ":".join((PREFIX, *parts))
