"""Components that the gateway's operators switched off: fetched, kept for times without a gateway, and in force."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

from core_engine.access.control import Memory
from shared.errors import ErrorCode, FloworkError

_log = logging.getLogger(__name__)

PATH = "/api/v1/system/disabled-components"
CHANGED = "disabled_components_changed"
KEY = "components.switched_off"
MOST = 1000


class KillSwitch:
    """Holds the list that is in force. ``apply`` has the registry refuse what is on it."""

    def __init__(self, memory: Memory, apply: Callable[[frozenset[str]], None]) -> None:
        self._memory = memory
        self._apply = apply
        self._listed: frozenset[str] = frozenset()

    def load(self) -> None:
        """Put the list of an earlier process in force; a damaged one is forgotten, the gateway has it."""
        try:
            self._listed = _read(json.loads(self._memory.get(KEY) or b"[]"))
        except (ValueError, FloworkError):
            _log.warning("the kept list of switched-off components cannot be read")
        self._apply(self._listed)

    async def replace(self, listed: Any) -> None:
        """Take over the gateway's list; a malformed one changes nothing and raises INVALID_REQUEST."""
        fresh = _read(listed)
        if fresh == self._listed:
            return
        self._listed = fresh
        self._apply(fresh)
        _log.warning(
            "the gateway's operators changed what may run", extra={"switched_off": sorted(fresh)[:20]}
        )
        await self._memory.put(KEY, json.dumps(sorted(fresh)).encode())


def _read(listed: Any) -> frozenset[str]:
    valid = isinstance(listed, list) and len(listed) <= MOST
    if not valid or not all(isinstance(item, str) and len(item) <= 100 for item in listed):
        raise FloworkError(
            ErrorCode.INVALID_REQUEST, "The gateway's list of switched-off components is malformed."
        )
    return frozenset(listed)
