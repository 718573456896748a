"""Puts the engine's REST API together."""

from __future__ import annotations

from core_engine.access.control import AccessControl
from core_engine.commands.command import Rooms
from core_engine.components.registry import ComponentRegistry
from core_engine.rest.components import ComponentResource
from core_engine.rest.dashboard import DashboardResource
from core_engine.rest.files import FileResource
from core_engine.rest.localization import WordResource
from core_engine.rest.preferences import PreferenceResource
from core_engine.rest.presets import PresetResource
from core_engine.rest.router import GatewayAccess, RestApi
from core_engine.rest.runs import RunResource
from core_engine.rest.variables import VariableResource
from core_engine.storage import EngineStore
from core_engine.storage.statistics import RunStatistics
from shared.clock import Clock


def open_rest(  # noqa: PLR0913 - what it is wired with
    rooms: Rooms,
    store: EngineStore,
    registry: ComponentRegistry,
    access: AccessControl,
    *,
    gateway_access: GatewayAccess,
    clock: Clock,
    version: str,
) -> RestApi:
    """Return the API over an engine's rooms."""
    resources = (
        ComponentResource(registry),
        PresetResource(rooms.presets),
        VariableResource(rooms.variables),
        PreferenceResource(rooms.preferences),
        FileResource(rooms.folders),
        RunResource(rooms.runs, rooms.presets, rooms.variables),
        DashboardResource(rooms, RunStatistics(store), clock, version),
        WordResource(),
    )
    return RestApi(resources, access, gateway_access)
