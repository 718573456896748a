"""Whether the gateway can serve."""

from __future__ import annotations

from gateway.db.database import Database
from gateway.resources.system import queries


class System:
    """The use cases around the gateway's own state."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def is_healthy(self) -> bool:
        """Tell whether what the gateway needs is there."""
        return queries.is_answering(self._database)
