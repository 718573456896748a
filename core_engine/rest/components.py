"""Components over REST: lists, one of them, icons."""

from __future__ import annotations

from core_engine.components.registry import ComponentRegistry
from core_engine.rest.exchange import RestAnswer
from core_engine.rest.router import answers
from shared.contract.component import ComponentInfo
from shared.contract.proxied import COMPONENT_ICON, GET_COMPONENT, LIST_OF
from shared.errors import ErrorCode, FloworkError

DEFAULT_ICON = (
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" fill="none" stroke="currentColor" '
    b'stroke-width="1.8" stroke-linejoin="round"><path d="M12 3l8 4.5v9L12 21l-8-4.5v-9z"/>'
    b'<path d="M4 7.5l8 4.5 8-4.5M12 12v9"/></svg>'
)
_KINDS = frozenset(LIST_OF)


class ComponentResource:
    """Answers what the registry knows."""

    def __init__(self, registry: ComponentRegistry) -> None:
        self._registry = registry

    @answers(LIST_OF["modules"])
    async def modules(self) -> list[ComponentInfo]:
        """List the modules."""
        return self._registry.listing("modules")

    @answers(LIST_OF["plugins"])
    async def plugins(self) -> list[ComponentInfo]:
        """List the plugins."""
        return self._registry.listing("plugins")

    @answers(LIST_OF["tools"])
    async def tools(self) -> list[ComponentInfo]:
        """List the tools."""
        return self._registry.listing("tools")

    @answers(LIST_OF["triggers"])
    async def triggers(self) -> list[ComponentInfo]:
        """List the triggers."""
        return self._registry.listing("triggers")

    @answers(LIST_OF["widgets"])
    async def widgets(self) -> list[ComponentInfo]:
        """List the widgets."""
        return self._registry.listing("widgets")

    @answers(GET_COMPONENT)
    async def component(self, kind: str, component_id: str) -> ComponentInfo:
        """Return one component; NOT_FOUND."""
        found = self._registry.listing(kind) if kind in _KINDS else []
        for info in found:
            if info.id == component_id:
                return info
        raise FloworkError(ErrorCode.NOT_FOUND, f"There is no component {component_id} among the {kind}.")

    @answers(COMPONENT_ICON)
    async def icon(self, kind: str, component_id: str) -> RestAnswer:
        """Return an icon as SVG, a plain box for a component without one."""
        icon = self._registry.icon(component_id) if kind in _KINDS else None
        headers = {"Cache-Control": "public, max-age=300", "Content-Security-Policy": "default-src 'none'"}
        return RestAnswer(200, icon or DEFAULT_ICON, COMPONENT_ICON.media, headers)
