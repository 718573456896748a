"""Finds the components: every folder of a package, in sorted order, each with code, icon and a runnable example."""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import inspect
import json
import logging
import os
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any

from core_engine.components import manifest
from core_engine.components.builtin.docker_container.orphans import remove_orphans
from core_engine.components.dropin.environments import Environments, Source
from core_engine.components.dropin.records import InstallRecords
from core_engine.components.dropin.shelf import Shelf
from core_engine.components.files import RootedFiles
from core_engine.components.isolation.rungs import Task
from core_engine.components.isolation.sandbox import Bounds, Sandbox
from core_engine.components.network import NetworkPolicy
from core_engine.components.outlet import EventOutlet
from core_engine.components.state import ComponentState
from core_engine.components.switches import Switches
from core_engine.kernel.component import Component, StepPolicy
from core_engine.settings import EngineSettings
from core_engine.storage import EngineStore
from shared.clock import Clock
from shared.contract.component import ComponentInfo
from shared.errors import ErrorCode, FloworkError

SWITCHED_OFF = "The component {} was switched off by the operators of the gateway."
_TEXT_BOUNDS = Bounds(10.0, 256)
BUILTIN = Path(__file__).with_name("builtin")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Services:
    """What a component may ask for in its constructor, by the parameter's name."""

    sandbox: Sandbox
    network: NetworkPolicy
    state: ComponentState
    clock: Clock
    switches: Switches = field(default_factory=Switches)
    outlet: EventOutlet = field(default_factory=EventOutlet)


class BrokenComponentError(Exception):
    """A component folder does not hold what it must; the text says what is missing."""


class ComponentRegistry:
    """The engine's implementation of `core_engine.kernel.ports.Registry`.

    A broken folder is listed with its reason, kept out of `find`, and breaks nothing else. `close` ends the
    sandbox's children. The components of others stand on the ``shelf``; they come and go while the engine runs.
    """

    def __init__(
        self, services: Services, folders: Sequence[Path] = (BUILTIN,), shelf: Shelf | None = None
    ) -> None:
        self._services = services
        self._shelf = shelf
        self._components: dict[str, Component[Any]] = {}
        self._infos: dict[str, ComponentInfo] = {}
        self._folders: dict[str, Path] = {}
        self._broken: dict[str, str] = {}
        for parent in folders:
            for folder in _component_folders(parent):
                self._enter(folder)

    @property
    def outlet(self) -> EventOutlet:
        """Where components publish events."""
        return self._services.outlet

    @property
    def shelf(self) -> Shelf:
        """The components of others; raises CONFIGURATION for a registry that was made without."""
        if self._shelf is None:
            raise FloworkError(
                ErrorCode.CONFIGURATION, "This registry holds the engine's own components only."
            )
        return self._shelf

    @property
    def broken(self) -> Mapping[str, str]:
        """The folders that could not be used, with the reason."""
        return MappingProxyType({**self._broken, **(self._shelf.broken if self._shelf else {})})

    def find(self, component_id: str) -> Component[Any] | None:
        """Return the component of that id, or None; ``id@version`` names one of several installed versions."""
        found = self._components.get(component_id)
        return found if found or self._shelf is None else self._shelf.find(component_id)

    def switch_off(self, component_ids: Collection[str]) -> None:
        """Refuse to run these components, and run all others; steps that run already come to their end."""
        for component_id, component in self._components.items():
            off = component_id in component_ids
            component.refusal = SWITCHED_OFF.format(component_id) if off else None

    def listing(self, component_type: str) -> list[ComponentInfo]:
        """Describe the components of a type (modules, plugins, tools, triggers), sorted by name."""
        mine = [name for name, found in self._components.items() if found.component_type == component_type]
        for name in mine:
            if name not in self._infos:
                self._describe(name)
        broken = [name for name in self._broken if component_type == "modules" and name in self._infos]
        infos = [self._infos[name] for name in dict.fromkeys([*mine, *broken])]
        infos += self._shelf.listing(component_type) if self._shelf else ()
        return sorted(infos, key=lambda info: (info.name.casefold(), info.id))

    def icon(self, component_id: str) -> bytes | None:
        """Return a component's icon as SVG."""
        folder = self._folders.get(component_id)
        if folder is None:
            return self._shelf.icon(component_id) if self._shelf else None
        return (folder / "icon.svg").read_bytes()

    def example(self, component_id: str) -> dict[str, Any] | None:
        """Return a component's runnable example: a workflow, with ``initial_payload`` beside it."""
        folder = self._folders.get(component_id)
        if folder is None:
            return self._shelf.example(component_id) if self._shelf else None
        return _read_example(folder)

    async def write_text(self, template: str, values: dict[str, Any]) -> str:
        """Render a Jinja2 template in a locked process; raises COMPONENT_FAILED for what is wrong with it."""
        request = {"template": template, "values": values}
        return str(await self._services.sandbox.call(Task.TEMPLATE, request, _TEXT_BOUNDS, lambda *_: None))

    async def tidy_up(self) -> None:
        """Remove what processes that were killed have left on this machine."""
        await asyncio.to_thread(remove_orphans, allowed=self._services.switches.docker_containers)

    async def close(self) -> None:
        """End what the components keep running."""
        await self._services.sandbox.close()

    def _enter(self, folder: Path) -> None:
        name = folder.name
        if name in self._components or name in self._broken:
            self._broken[str(folder)] = "another component has this id"
            return
        try:
            component = _build(folder, self._services)
            manifest.check(component)
        except Exception as error:  # noqa: BLE001 - the border between the engine and a component's folder
            self._break(name, folder, error)
            return
        self._components[name] = component
        self._folders[name] = folder

    def _describe(self, name: str) -> None:
        """Work a component's description out; at the start that would take as long as everything else."""
        try:
            described = manifest.describe(self._components[name], icon_file="icon.svg")
        except Exception as error:  # noqa: BLE001 - the border between the engine and a component's folder
            del self._components[name]
            self._break(name, self._folders.pop(name), error)
        else:
            self._infos[name] = manifest.inform(described)

    def _break(self, name: str, folder: Path, error: Exception) -> None:
        reason = f"{type(error).__name__}: {error}"
        reason = str(error) if isinstance(error, BrokenComponentError | ValueError) else reason
        _log.warning("a component cannot be used", extra={"component": str(folder), "reason": reason})
        self._broken[name] = reason
        self._infos[name] = manifest.inform_broken(name, reason)


def open_registry(
    settings: EngineSettings, store: EngineStore, clock: Clock
) -> tuple[ComponentRegistry, RootedFiles]:
    """Build the registry of the shipped components and the files they may use, as the settings say."""
    limits = settings.limits
    network = NetworkPolicy(limits.http_private_networks.split(","))
    sandbox = Sandbox(
        most=Bounds(limits.isolated_seconds, limits.isolated_memory_mb),
        max_children=limits.isolated_processes,
        network=network,
    )
    files = RootedFiles(settings.data.roots, settings.data.data_dir)
    switches = Switches(shell_commands=limits.shell_commands, docker_containers=limits.docker_containers)
    services = Services(sandbox, network, ComponentState(store, clock), clock, switches)
    shelf = _open_shelf(settings, sandbox)
    return ComponentRegistry(services, shelf=shelf), files


def _open_shelf(settings: EngineSettings, sandbox: Sandbox) -> Shelf:
    additions, own = settings.additions, settings.data.engine_dir
    environments = Environments(
        (own / "environments").resolve(),
        Source.of(additions.wheels, os.environ),
        seconds=additions.seconds,
        megabytes=additions.megabytes,
    )
    shelf = Shelf(
        settings.data.components_dir.resolve(),
        InstallRecords(own / "installed"),
        environments,
        sandbox,
        reserved=[folder.name for folder in _component_folders(BUILTIN)],
        disabled=[part.strip() for part in additions.disabled.split(",") if part.strip()],
    )
    shelf.rescan()
    return shelf


def _component_folders(parent: Path) -> list[Path]:
    entries = sorted(parent.iterdir(), key=lambda entry: entry.name)
    return [entry for entry in entries if entry.is_dir() and not entry.name.startswith(("_", "."))]


def _build(folder: Path, services: Services) -> Component[Any]:
    for needed in ("component.py", "icon.svg", "example.json"):
        if not (folder / needed).is_file():
            raise BrokenComponentError(f"{needed} is missing")
    _read_example(folder)
    component = _construct(_component_class(_load(folder)), services)
    if component.id != folder.name:
        raise BrokenComponentError(f"its id is {component.id!r}, but the folder is called {folder.name!r}")
    if component.policy is not StepPolicy.REPEATABLE and type(component).simulate is Component.simulate:
        raise BrokenComponentError("it has an effect outside and no simulate()")
    unknown = component.raw_fields - component.config_model.model_fields.keys()
    if unknown:
        raise BrokenComponentError(f"raw_fields names no setting of its own: {sorted(unknown)}")
    return component


def _load(folder: Path) -> ModuleType:
    if folder.parent == BUILTIN:
        return importlib.import_module(f"core_engine.components.builtin.{folder.name}.component")
    name = f"flowork_component_{folder.name}"
    spec = importlib.util.spec_from_file_location(name, folder / "component.py")
    if spec is None or spec.loader is None:
        raise BrokenComponentError("component.py cannot be loaded")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # pydantic looks annotations up there
    spec.loader.exec_module(module)
    return module


def _component_class(module: ModuleType) -> type[Component[Any]]:
    classes = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Component) and value.__module__ == module.__name__
    ]
    concrete = [value for value in classes if not inspect.isabstract(value)]
    if len(concrete) != 1:
        raise BrokenComponentError(f"component.py holds {len(concrete)} components, it must hold one")
    return concrete[0]


def _construct(component_class: type[Component[Any]], services: Services) -> Component[Any]:
    wanted = list(inspect.signature(component_class).parameters)
    unknown = [name for name in wanted if name not in Services.__slots__]
    if unknown:
        raise BrokenComponentError(f"its constructor asks for {unknown[0]!r}, which the engine does not have")
    return component_class(**{name: getattr(services, name) for name in wanted})


def _read_example(folder: Path) -> dict[str, Any]:
    try:
        example = json.loads((folder / "example.json").read_bytes())
    except ValueError as error:
        raise BrokenComponentError(f"example.json is not JSON: {error}") from error
    if not isinstance(example, dict) or not isinstance(example.get("nodes"), list):
        raise BrokenComponentError("example.json is not a workflow")
    return example
