"""What stands in a graph for a component that is not installed."""

from __future__ import annotations

from typing_extensions import override

from core_engine.kernel.component import Component, Config
from core_engine.kernel.context import Context
from core_engine.kernel.payload import Payload, Result
from shared.errors import ErrorCode, FloworkError


class MissingComponent(Component[Config]):
    """Stands in for a component that is not installed; the node's defect is reported instead of running it."""

    id = "missing"
    name = "Missing"
    description = "A component that this engine does not have."
    category = "missing"

    @override
    def execute(self, context: Context, config: Config, payload: Payload) -> Result:
        """Refuse."""
        raise FloworkError(ErrorCode.NOT_FOUND, f"The component of {context.node_name} is not installed.")
