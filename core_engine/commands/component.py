"""Commands on components: what can be used in workflows."""

from __future__ import annotations

from core_engine.commands.command import CommandContext, command
from shared.contract.component import ComponentsList, RequestComponentsList


@command(RequestComponentsList)
async def request_components_list(context: CommandContext, message: RequestComponentsList) -> ComponentsList:
    """List the components of one type."""
    components = context.rooms.registry.listing(message.component_type)
    return ComponentsList(component_type=message.component_type, components=components)
