"""Asks an engine over its internal HTTP whether it has an owner."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import httpx

_TIMEOUT_SECONDS = 2.0
_PERIOD_SECONDS = 1.0


def engine_status(http_url: str, service_secret: str) -> dict[str, Any] | None:
    """Return the body of ``GET /api/v1/status``, or None when the engine does not answer as one of ours."""
    try:
        with httpx.Client(trust_env=False, timeout=_TIMEOUT_SECONDS) as http:
            response = http.get(f"{http_url}/api/v1/status", headers={"X-API-Key": service_secret})
        body = response.json() if response.is_success else None
    except (httpx.HTTPError, httpx.InvalidURL, ValueError):
        return None
    return body if isinstance(body, dict) else None


class OwnerWatch:
    """Tells once that an engine has no owner yet, and once which owner it has."""

    def __init__(
        self,
        http_url: str,
        service_secret: str,
        *,
        unclaimed: Callable[[], None],
        owned: Callable[[str], None],
    ) -> None:
        self._url = http_url
        self._secret = service_secret
        self._unclaimed = unclaimed
        self._owned = owned
        self._done = False
        self._told = False
        self._next = 0.0

    def tick(self) -> None:
        """Look again, at most once a second, until the engine has its owner."""
        if self._done or time.monotonic() < self._next:
            return
        self._next = time.monotonic() + _PERIOD_SECONDS
        status = engine_status(self._url, self._secret)
        if status is None:
            return
        if status.get("owner_pinned"):
            self._done = True
            self._owned(str(status.get("owner")))
        elif not self._told:
            self._told = True
            self._unclaimed()
