"""The shelf: which added components there are right now, in which versions, and why one cannot be used."""

from __future__ import annotations

import logging
import threading
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core_engine.components.dropin import component as making
from core_engine.components.dropin.component import IsolatedComponent
from core_engine.components.dropin.description import Release
from core_engine.components.dropin.environments import Environments
from core_engine.components.dropin.folder import folder_hash
from core_engine.components.dropin.found import Found, is_component, read_component
from core_engine.components.dropin.problem import UnusableError
from core_engine.components.dropin.records import InstallRecord, InstallRecords
from core_engine.components.isolation.sandbox import Sandbox
from core_engine.components.manifest import inform, inform_broken
from shared.contract.component import ComponentInfo

NOT_BUILT = "its requirements are not installed yet; install the component to have that done"
_CHANGED = "its files are not those that were installed; remove it and install it again"
_DEEPEST = 3
_MOST_FOLDERS = 2000

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Item:
    """One version of a component on the shelf; ``component`` is None for the ``reason`` given."""

    found: Found
    hash: str
    installed_at: int
    record: InstallRecord | None
    component: IsolatedComponent | None
    reason: str

    @property
    def id(self) -> str:
        """The component's id."""
        return self.found.manifest.id

    @property
    def version(self) -> str:
        """The component's version."""
        return self.found.manifest.version

    def info(self) -> ComponentInfo:
        """Describe it for a list."""
        info = inform(making.describe(self.found))
        change: dict[str, Any] = {"is_core": False, "tier": self.found.manifest.tier}
        if self.component is None:
            text = f"Cannot be used: {self.reason}"
            change |= {"is_paused": True, "is_installed": False, "description": text}
        return info.model_copy(update=change)


@dataclass(frozen=True, slots=True)
class Stock:
    """Everything that is there; versions stand oldest first."""

    items: Mapping[str, tuple[Item, ...]]
    broken: Mapping[str, str]


class Shelf:
    """Reads the components folder again whenever it is told to; what did not change stays the very same object."""

    def __init__(  # noqa: PLR0913 - what it reads, what runs it, and which names are not for it
        self,
        folder: Path,
        records: InstallRecords,
        environments: Environments,
        sandbox: Sandbox,
        *,
        reserved: Collection[str],
        disabled: Collection[str] = (),
    ) -> None:
        self.folder = folder
        self.records = records
        self.environments = environments
        self._sandbox = sandbox
        self._reserved = {name.casefold() for name in reserved}
        self._disabled = frozenset(disabled)
        self._stock = Stock({}, {})
        self._scanning = threading.Lock()

    def rescan(self) -> None:
        """Take in what the folder holds now. Blocks for the disk."""
        with self._scanning:
            self._rescan()

    def _rescan(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        items: dict[str, list[Item]] = {}
        broken: dict[str, str] = {}
        owners: dict[str, str] = {}
        for place in _places(self.folder):
            try:
                item = self._read(place)
                self._require_own_name(item, items, owners)
            except UnusableError as error:
                name = place.relative_to(self.folder).as_posix()
                _log.warning("a component cannot be used", extra={"component": name, "reason": str(error)})
                broken[name] = str(error)
            else:
                items.setdefault(item.id, []).append(item)
        stock = {name: tuple(sorted(found, key=_release)) for name, found in sorted(items.items())}
        unusable = {name: found[-1].reason for name, found in stock.items() if found[-1].reason}
        self._stock = Stock(stock, broken | unusable)

    @property
    def broken(self) -> Mapping[str, str]:
        """What cannot be used, by id or place, with the reason."""
        return self._stock.broken

    @property
    def ids(self) -> Collection[str]:
        """The ids that are taken."""
        return self._stock.items.keys()

    def is_reserved(self, component_id: str) -> bool:
        """Tell whether an id belongs to a component of the engine's own."""
        return component_id.casefold() in self._reserved

    def versions(self, component_id: str) -> tuple[Item, ...]:
        """Return the versions of a component, oldest first."""
        return self._stock.items.get(component_id, ())

    def newest(self, component_id: str) -> Item | None:
        """Return the newest version that can be used, else the newest."""
        versions = self.versions(component_id)
        usable = [item for item in versions if item.component is not None]
        return (usable or versions or [None])[-1]  # type: ignore[list-item]

    def find(self, reference: str) -> IsolatedComponent | None:
        """Return a component by ``id`` (its newest version) or ``id@version``."""
        name, _, version = reference.partition("@")
        if version:
            return next((item.component for item in self.versions(name) if item.version == version), None)
        item = self.newest(name)
        return item.component if item else None

    def listing(self, component_type: str) -> Iterator[ComponentInfo]:
        """Describe the components of a type, each in its newest version, broken ones with their reason."""
        stock = self._stock
        for name in stock.items:
            item = self.newest(name)
            if item and item.found.manifest.component_type == component_type:
                yield item.info()
        if component_type == "modules":
            for name in stock.broken.keys() - stock.items.keys():
                info = inform_broken(name, stock.broken[name])
                yield info.model_copy(update={"is_core": False})

    def icon(self, component_id: str) -> bytes | None:
        """Return an icon as SVG. Blocks for the disk."""
        item = self.newest(component_id)
        icon = item.found.icon if item else None
        try:
            return icon.read_bytes() if icon else None
        except OSError:
            return None

    def example(self, component_id: str) -> dict[str, Any] | None:
        """Return the example of a component's manifest as a workflow."""
        item = self.newest(component_id)
        return example_of(item.found) if item else None

    def pin(self, workflow_data: dict[str, Any], saved_at: int) -> dict[str, Any]:
        """Return a saved workflow with ``component_version`` in each step of an added component.

        It is the newest version that was there when the workflow was saved (Unix ms), else the oldest there is. A
        version that the step names itself stays.
        """
        nodes = workflow_data.get("nodes")
        if not isinstance(nodes, list) or not any(map(self._is_added, nodes)):
            return workflow_data
        return workflow_data | {"nodes": [self._pinned(node, saved_at) for node in nodes]}

    def _is_added(self, node: Any) -> bool:
        return isinstance(node, dict) and node.get("module_id") in self._stock.items

    def _pinned(self, node: Any, saved_at: int) -> Any:
        if not self._is_added(node) or node.get("component_version"):
            return node
        versions = self.versions(node["module_id"])
        usable = [item for item in versions if item.component is not None] or list(versions)
        then = [item for item in usable if item.installed_at <= saved_at]
        return node | {"component_version": (then[-1] if then else usable[0]).version}

    def _read(self, place: Path) -> Item:
        found = read_component(place)
        manifest = found.manifest
        record = self.records.find(manifest.id, manifest.version) if _is_release(place, found) else None
        digest = folder_hash(place, strict=record is not None)
        if record is not None and record.hash != digest:
            raise UnusableError(_CHANGED)
        site = self.environments.site(found.requirements) if found.requirements else None
        reason = NOT_BUILT if found.requirements and site is None else ""
        if manifest.id in self._disabled:
            reason = "it is switched off by ENGINE_DISABLED_COMPONENTS"
        packages = (str(site),) if site else ()
        component = None if reason else self._component(found, digest, packages)
        at = record.installed_at if record else int(place.stat().st_mtime * 1000)
        return Item(found, digest, at, record, component, reason)

    def _component(self, found: Found, digest: str, packages: tuple[str, ...]) -> IsolatedComponent:
        """Return the component that is known already where nothing has changed, so that no workflow is parsed anew."""
        for item in self.versions(found.manifest.id):
            same = item.hash == digest and item.found.folder == found.folder
            if same and item.component is not None and item.component.packages == packages:
                return item.component
        try:
            return making.make_class(found)(packages, self._sandbox)
        except (TypeError, ValueError) as error:
            raise UnusableError(str(error)) from error

    def _require_own_name(self, item: Item, items: Mapping[str, list[Item]], owners: dict[str, str]) -> None:
        folded = item.id.casefold()
        if self.is_reserved(item.id):
            raise UnusableError(f"{item.id} is the id of a component that belongs to the engine")
        if owners.setdefault(folded, item.id) != item.id:
            raise UnusableError(f"{item.id} and {owners[folded]} differ only in case")
        for other in items.get(item.id, ()):
            if other.version == item.version:
                raise UnusableError(f"another folder holds version {item.version} of {item.id}")


def example_of(found: Found) -> dict[str, Any] | None:
    """Return the manifest's example as a workflow of one step; an example is ``{config_values, initial_payload}``."""
    example = found.manifest.example
    if not example:
        return None
    node = {
        "id": "step", "name": found.manifest.name, "module_id": found.manifest.id, "x": 0, "y": 0,
        "config_values": example.get("config_values") or {},
    }  # fmt: skip
    return {"nodes": [node], "connections": [], "initial_payload": example.get("initial_payload") or {}}


def _is_release(place: Path, found: Found) -> bool:
    """Tell whether a folder stands where an installed version stands: ``<id>/<version>``."""
    return place.name == found.manifest.version and place.parent.name == found.manifest.id


def _release(item: Item) -> Release:
    return Release(item.version)


def _places(folder: Path) -> Iterator[Path]:
    """Return the folders that claim to be a component, and those at the top that hold none, in sorted order."""
    for top in _folders(folder):
        found = list(_within(top, 1))
        yield from found or ([top] if any(top.iterdir()) else [])


def _within(folder: Path, depth: int) -> Iterator[Path]:
    if is_component(folder):
        yield folder
    elif depth < _DEEPEST:
        for inner in _folders(folder):
            yield from _within(inner, depth + 1)


def _folders(folder: Path) -> list[Path]:
    try:
        entries = sorted(folder.iterdir(), key=lambda entry: entry.name)
    except OSError:
        return []
    plain = [entry for entry in entries if not entry.name.startswith((".", "_")) and not entry.is_symlink()]
    return [entry for entry in plain if entry.is_dir()][:_MOST_FOLDERS]
