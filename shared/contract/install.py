"""Installing components: what one asks for, putting it on the engine, taking it away again (protocol §3.1-3.2)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from shared.contract.base import Audience, Command, Event, Outgoing, Role
from shared.contract.component import ComponentType

ComponentId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,79}$")]
ComponentVersion = Annotated[str, StringConstraints(pattern=r"^[0-9][0-9A-Za-z.+-]{0,59}$")]
Package = Annotated[str, StringConstraints(max_length=44 * 1024 * 1024)]
"""A component's folder as a zip file in base64; smaller than the largest message that the connection takes."""

Stage = Literal["checking", "requirements", "installing", "done"]


class PermissionInfo(Outgoing):
    """Something a component asks to be allowed; ``given`` is false for what isolated code never gets."""

    permission: str
    meaning: str
    given: bool


class ComponentInspection(Event, name="component_inspection_response", audience=Audience.CALLER):
    """What would be installed. ``touches`` are the presets that use the component; ``refusal`` why it would not be."""

    type: str = "component_inspection_response"
    component_id: str
    component_type: ComponentType
    component_name: str
    version: str
    hash: str
    author: str | None
    permissions: list[PermissionInfo]
    requirements: list[str]
    installed_versions: list[str]
    touches: list[str]
    refusal: str | None = None
    request_id: str | None = None


class InspectComponent(Command, name="inspect_component", reply=ComponentInspection, role=Role.ADMIN):
    """Look at a component before it is installed: one in ``package``, or one that lies in the components folder."""

    component_id: ComponentId | None = None
    package: Package | None = Field(default=None, repr=False)


class ComponentInstallStatus(Event, name="component_install_status", audience=Audience.CALLER):
    """How an installation goes on; the last one of it has ``stage`` done.

    ``touches`` are the presets that use the component: they keep the version they were saved with.
    """

    type: str = "component_install_status"
    component_id: str
    component_type: ComponentType
    success: bool
    message: str
    is_installed: bool
    stage: Stage
    version: str | None = None
    touches: list[str] = Field(default_factory=list)
    request_id: str | None = None


class InstallComponent(Command, name="install_component", reply=ComponentInstallStatus, role=Role.ADMIN):
    """Install a component from ``package``, or the requirements of one that lies in the components folder already.

    ``accept_permissions`` repeats what `inspect_component` has listed; what is not in it is not installed from a
    package. ``repair`` installs the requirements anew, with the locked versions. Progress comes as further
    ``component_install_status`` without ``request_id``. An installation that takes longer than the command may is
    answered with the stage it is in and goes on.
    """

    component_type: ComponentType = "modules"
    component_id: ComponentId | None = None
    package: Package | None = Field(default=None, repr=False)
    accept_permissions: list[str] = Field(default_factory=list, max_length=200)
    repair: bool = False


class UninstallComponent(Command, name="uninstall_component", reply=ComponentInstallStatus, role=Role.ADMIN):
    """Remove an installed component, all its versions or one of them, from the disk."""

    component_type: ComponentType = "modules"
    component_id: ComponentId
    version: ComponentVersion | None = None
