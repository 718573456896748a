"""Components as clients see them: the published manifest shape (protocol §6.2-6.3)."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from shared.contract.base import Audience, Command, Event, Outgoing, Role


class PortInfo(Outgoing):
    """An input or output port."""

    name: str
    display_name: str
    tooltip: str = ""


class PropertyOption(Outgoing):
    """One choice of a select field."""

    label: str
    value: str


class PropertyInfo(Outgoing):
    """One field of a component's settings form."""

    id: str
    type: str
    label: str
    description: str
    default: Any = None
    required: bool = False
    options: list[PropertyOption] = Field(default_factory=list)


class ManifestInfo(Outgoing):
    """The published manifest of a component, with ours beside it: ``config_schema`` and ``guarantee``."""

    id: str
    name: str
    version: str
    author: str
    description: str
    type: str
    category: str
    tier: str = "free"
    requires_input: bool = True
    input_ports: list[PortInfo]
    output_ports: list[PortInfo]
    properties: list[PropertyInfo]
    ui_schema: list[dict[str, Any]] = Field(default_factory=list)
    behaviors: list[str] = Field(default_factory=lambda: ["retry", "loop"])
    icon_file: str | None = None
    config_schema: dict[str, Any]
    guarantee: str


class ComponentInfo(Outgoing):
    """A component of a list."""

    id: str
    name: str
    version: str
    description: str
    is_paused: bool = False
    is_core: bool = True
    is_installed: bool = True
    tier: str = "free"
    manifest: ManifestInfo


ComponentType = Literal["modules", "plugins", "tools", "triggers"]


class ComponentsList(
    Event, name="components_list_response", relay="response_component_list", audience=Audience.CALLER
):
    """The components of one type."""

    type: str = "components_list_response"
    component_type: ComponentType
    components: list[ComponentInfo]
    request_id: str | None = None


class RequestComponentsList(Command, name="request_components_list", reply=ComponentsList, role=Role.READER):
    """List the components of one type."""

    component_type: ComponentType = "modules"
