"""Installs and removes components: judged whole before anything is put on the shelf, pinned by hash afterwards."""

from __future__ import annotations

import asyncio
import logging
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from core_engine.components.dropin.description import Release
from core_engine.components.dropin.folder import folder_hash
from core_engine.components.dropin.found import Found, is_component, read_component
from core_engine.components.dropin.package import unpack
from core_engine.components.dropin.policy import InstallPolicy, read_author
from core_engine.components.dropin.problem import UnusableError
from core_engine.components.dropin.records import InstallRecord
from core_engine.components.dropin.shelf import Item, Shelf
from shared.clock import Clock
from shared.errors import ErrorCode, FloworkError

Tell = Callable[[str, str], None]
"""Takes a stage (checking, requirements, installing) and a sentence about it."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Candidate:
    """What would be installed. ``placed``: it lies in the components folder already, put there by hand or by us."""

    found: Found
    hash: str
    author: str | None
    refusal: str | None
    placed: Item | None

    @property
    def asked(self) -> list[str]:
        """The permissions it asks for."""
        return [permission.text for permission in self.found.permissions]


@dataclass(frozen=True, slots=True)
class Order:
    """What a caller wants installed: a ``package``, or by ``component_id`` what lies in the folder."""

    component_id: str | None
    package: bytes | None
    accepted: Sequence[str] = ()
    repair: bool = False


class Installer:
    """One change of the shelf at a time. `close` waits for none: what was not finished left no trace."""

    def __init__(self, shelf: Shelf, policy: InstallPolicy, clock: Clock) -> None:
        self.shelf = shelf
        self._policy = policy
        self._clock = clock
        self._changing = asyncio.Lock()
        self._tasks: set[asyncio.Task[Item]] = set()

    async def inspect(self, order: Order) -> Candidate:
        """Tell what an order would install; raises FloworkError for what never could be."""
        async with self._opened(order) as candidate:
            return candidate

    def begin(self, order: Order, by: str, tell: Tell) -> asyncio.Task[Item]:
        """Start an installation that goes on whatever becomes of its caller."""
        task = asyncio.create_task(self.install(order, by, tell), name="component installation")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def install(self, order: Order, by: str, tell: Tell) -> Item:
        """Carry an order out and return what is on the shelf now.

        Raises FloworkError: INVALID_REQUEST for an unusable package, NOT_FOUND, FORBIDDEN by policy or for
        permissions that were not accepted, CONFLICT, COMPONENT_FAILED when its requirements cannot be had.
        """
        async with self._changing:
            tell("checking", "Checking the component.")
            async with self._opened(order) as candidate:
                _require_allowed(candidate, order.accepted)
                requirements = candidate.found.requirements
                if requirements:
                    build = self.shelf.environments.build
                    await build(requirements, lambda text: tell("requirements", text), anew=order.repair)
                tell("installing", "Putting it in its place.")
                if candidate.placed is None:
                    await asyncio.to_thread(self._put, candidate, by)
                await asyncio.to_thread(self.shelf.rescan)
                return self._result(candidate)

    async def uninstall(self, component_id: str, version: str | None) -> list[str]:
        """Remove what was installed; return the versions. Raises NOT_FOUND, CONFLICT for what a person placed."""
        async with self._changing:
            return await asyncio.to_thread(self._remove, component_id, version)

    async def close(self) -> None:
        """Interrupt what still runs."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @asynccontextmanager
    async def _opened(self, order: Order) -> AsyncIterator[Candidate]:
        if order.package is None:
            yield await asyncio.to_thread(self._present, order.component_id)
            return
        await asyncio.to_thread(self.shelf.folder.mkdir, parents=True, exist_ok=True)
        room = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix=".new-", dir=self.shelf.folder))
        try:
            yield await asyncio.to_thread(self._packaged, order, room / "component")
        finally:
            await asyncio.to_thread(shutil.rmtree, room, ignore_errors=True)

    def _present(self, component_id: str | None) -> Candidate:
        versions = self.shelf.versions(component_id or "")
        if not versions:
            reason = self.shelf.broken.get(component_id or "")
            told = f" It cannot be used: {reason}." if reason else ""
            message = f"There is no component {component_id} in the components folder.{told}"
            raise FloworkError(ErrorCode.NOT_FOUND, message)
        item = versions[-1]
        author = item.record.author if item.record else None
        return Candidate(item.found, item.hash, author, None, item)

    def _packaged(self, order: Order, folder: Path) -> Candidate:
        try:
            unpack(order.package or b"", folder)
            found = read_component(folder)
            digest = folder_hash(folder, strict=True)
        except UnusableError as error:
            text = f"The component cannot be used: {error}."
            raise FloworkError(ErrorCode.INVALID_REQUEST, text) from error
        manifest = found.manifest
        if order.component_id not in {None, manifest.id}:
            message = f"The package holds {manifest.id}, not {order.component_id}."
            raise FloworkError(ErrorCode.INVALID_REQUEST, message)
        author = read_author(folder, manifest.id, manifest.version, digest)
        candidate = Candidate(found, digest, author, self._policy.refusal(digest, author), None)
        self._refuse_clash(candidate)
        return candidate

    def _refuse_clash(self, candidate: Candidate) -> None:
        manifest = candidate.found.manifest
        if self.shelf.is_reserved(manifest.id):
            text = f"{manifest.id} is the id of a component that belongs to the engine."
            raise FloworkError(ErrorCode.CONFLICT, text)
        twin = next(
            (name for name in self.shelf.ids if name.casefold() == manifest.id.casefold()), manifest.id
        )
        if twin != manifest.id:
            raise FloworkError(
                ErrorCode.CONFLICT, f"{manifest.id} and the installed {twin} differ only in case."
            )
        if is_component(self.shelf.folder / manifest.id) or any(
            item.record is None for item in self.shelf.versions(manifest.id)
        ):
            text = f"A folder with {manifest.id} was put into the components folder by hand; remove it first."
            raise FloworkError(ErrorCode.CONFLICT, text)
        for item in self.shelf.versions(manifest.id):
            if item.version == manifest.version and item.hash != candidate.hash:
                text = (
                    f"Version {item.version} is installed with other content; a change needs a new version."
                )
                raise FloworkError(ErrorCode.CONFLICT, text)
            if Release(manifest.version) < Release(item.version):
                text = f"Version {item.version} is installed, which is newer than {manifest.version}."
                raise FloworkError(ErrorCode.CONFLICT, text)

    def _put(self, candidate: Candidate, by: str) -> None:
        manifest = candidate.found.manifest
        place = self.shelf.folder / manifest.id / manifest.version
        known = self.shelf.records.find(manifest.id, manifest.version)
        if known is not None and known.hash == candidate.hash and place.is_dir():
            return  # the shelf has it with just these files, or _refuse_clash had said so
        record = InstallRecord(
            id=manifest.id, version=manifest.version, hash=candidate.hash, installed_at=self._clock.now_ms(),
            installed_by=by, author=candidate.author, permissions=candidate.asked,
        )  # fmt: skip
        place.parent.mkdir(exist_ok=True)
        shutil.rmtree(place, ignore_errors=True)
        self.shelf.records.write(record)
        candidate.found.folder.rename(place)
        facts = {"component": manifest.id, "version": manifest.version, "by": by, "hash": candidate.hash}
        _log.info("component installed", extra=facts)

    def _result(self, candidate: Candidate) -> Item:
        manifest = candidate.found.manifest
        for item in self.shelf.versions(manifest.id):
            if item.version == manifest.version:
                if item.reason:
                    text = f"It is installed, but cannot be used: {item.reason}."
                    raise FloworkError(ErrorCode.COMPONENT_FAILED, text)
                return item
        raise FloworkError(ErrorCode.CONFLICT, "The component was taken away while it was installed.")

    def _remove(self, component_id: str, version: str | None) -> list[str]:
        if self.shelf.is_reserved(component_id):
            raise FloworkError(ErrorCode.CONFLICT, f"{component_id} belongs to the engine and stays.")
        recorded = self.shelf.records.versions(component_id)
        wanted = [name for name in recorded if version in {None, name}]
        if not wanted:
            if any(version in {None, item.version} for item in self.shelf.versions(component_id)):
                text = f"{component_id} was put into the components folder by hand; remove its folder there."
                raise FloworkError(ErrorCode.CONFLICT, text)
            raise FloworkError(ErrorCode.NOT_FOUND, f"{component_id} is not installed.")
        home = self.shelf.folder / component_id
        for name in wanted:
            place = home / name
            if place.is_dir() and not place.is_symlink():
                gone = Path(tempfile.mkdtemp(prefix=".old-", dir=self.shelf.folder))
                place.rename(gone / name)
                shutil.rmtree(gone, ignore_errors=True)
            self.shelf.records.remove(component_id, name)
        with suppress(OSError):  # other versions are left in it
            home.rmdir()
        self.shelf.rescan()
        _log.info("component removed", extra={"component": component_id, "versions": wanted})
        return wanted


def _require_allowed(candidate: Candidate, accepted: Sequence[str]) -> None:
    if (
        candidate.placed is not None
    ):  # whoever put it there had the machine, which is more than any permission
        return
    if candidate.refusal is not None:
        raise FloworkError(ErrorCode.FORBIDDEN, candidate.refusal, details={"hash": candidate.hash})
    missing = [text for text in candidate.asked if text not in accepted]
    if missing:
        raise FloworkError(
            ErrorCode.FORBIDDEN,
            f"It asks for permissions that were not accepted: {', '.join(missing)}.",
            details={"permissions": candidate.asked},
        )
