"""The REST shape of the gateway's own state (protocol §1.5)."""

from __future__ import annotations

from http import HTTPStatus

from gateway.context import Context
from gateway.resources.system.service import System
from gateway.web.routing import StatusError, route
from shared.contract.system import HEALTH, Health
from shared.errors import ErrorCode


class Routes:
    """Answers the operations about the gateway itself."""

    def __init__(self, context: Context) -> None:
        self._system = System(context.database)

    @route(HEALTH)
    def health(self) -> Health:
        """Tell that the gateway can serve."""
        if not self._system.is_healthy():
            raise StatusError(
                HTTPStatus.SERVICE_UNAVAILABLE, ErrorCode.INTERNAL, "The gateway's database does not answer."
            )
        return Health(status="healthy", database="connected")
