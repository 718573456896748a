"""The REST shape of the gateway's own state (protocol §1.5)."""

from __future__ import annotations

from http import HTTPStatus

from gateway.context import Context
from gateway.resources.system.service import System
from gateway.web.routing import StatusError, route
from shared.contract.system import CLEAR_CACHE, HEALTH, CacheCleared, CacheStats, Health
from shared.errors import ErrorCode


class Routes:
    """Answers the operations about the gateway itself."""

    def __init__(self, context: Context) -> None:
        self._system = System(context.database)
        self._answers = context.answers

    @route(HEALTH)
    def health(self) -> Health:
        """Tell that the gateway can serve."""
        if not self._system.is_healthy():
            raise StatusError(
                HTTPStatus.SERVICE_UNAVAILABLE, ErrorCode.INTERNAL, "The gateway's database does not answer."
            )
        return Health(status="healthy", database="connected")

    @route(CLEAR_CACHE)
    def clear_cache(self, caller: str) -> CacheCleared:
        """Clear our caches; nothing of anybody's data is touched."""
        del caller
        cleared = self._answers.clear()
        return CacheCleared(message="The cache was cleared.", stats=CacheStats(files_deleted=cleared))
