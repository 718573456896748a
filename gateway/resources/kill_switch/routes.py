"""The REST shape of the kill switch as engines read it (protocol §1.5)."""

from __future__ import annotations

from gateway.context import Context
from gateway.resources.kill_switch.service import KillSwitch
from gateway.web.routing import route
from shared.contract.system import DISABLED_COMPONENTS


class Routes:
    """Answers engines."""

    def __init__(self, context: Context) -> None:
        self._switch = KillSwitch(context.database, context.clock, context.links)

    @route(DISABLED_COMPONENTS)
    def disabled_components(self) -> list[str]:
        """List the ids."""
        return [row.component_id for row in self._switch.listing()]
