"""Saved workflows for the rest of the engine: list, read, save, compare, restore, delete and run them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core_engine.kernel.family import CalledWorkflow
from core_engine.presets.at_hand import AtHand, Ready
from core_engine.presets.attestation import EngineKey
from core_engine.presets.chain import (
    Chain,
    ChainKeeper,
    Document,
    Origin,
    Version,
    read_document,
    version_hash,
)
from core_engine.presets.diff import compare_workflows
from core_engine.presets.names import clean_name
from core_engine.storage.presets import PresetRow, PresetTable
from core_engine.workflow.graph import canonical
from shared.clock import Clock, iso
from shared.contract.preset import (
    LoadedPreset,
    PresetDiff,
    PresetItem,
    PresetVersion,
    PresetVersions,
)
from shared.errors import ErrorCode, FloworkError
from shared.ids import new_id, same_address
from shared.signing.presets import recover_preset

Pin = Callable[[dict[str, Any], int], dict[str, Any]]
"""Names the versions of components in a workflow that was saved at a Unix time in ms."""


@dataclass(frozen=True, slots=True)
class SavedWorkflow:
    """What runs when a preset is started: what was checked, with the versions of added components it was saved with.

    ``workflow_data`` is shared with others who start it. ``workflow_json`` is its canonical JSON, where that is known.
    """

    name: str
    version: int
    workflow_data: dict[str, Any]
    workflow_json: bytes | None = None


ChangeListener = Callable[[str, dict[str, Any] | None, str], Awaitable[None]]
"""Hears of a preset's newest workflow, None once it is deleted, and of who changed it."""

_log = logging.getLogger(__name__)


class PresetService:
    """The presets of an engine, which belong to its owner. Every change is synced before the call returns.

    Reading a damaged chain raises JOURNAL_CORRUPT, except where the damage itself is what is shown.
    """

    def __init__(
        self,
        table: PresetTable,
        key: EngineKey,
        clock: Clock,
        owner: Callable[[], str | None],
        pin: Pin = lambda workflow_data, _: workflow_data,
    ) -> None:
        self._table = table
        self._chains = ChainKeeper(key)
        self._clock = clock
        self._owner = owner
        self._pin = pin
        self._changing = asyncio.Lock()
        self._good_heads: dict[str, tuple[str, str]] = {}
        self._at_hand = AtHand()
        self._listeners: list[ChangeListener] = []

    def subscribe(self, listener: ChangeListener) -> None:
        """Call the listener after every change, once it is on the disk; its failure does not undo the change."""
        self._listeners.append(listener)

    async def listing(self) -> list[PresetItem]:
        """Return every preset with its newest version, by name; each chain is checked."""
        return await asyncio.to_thread(self._list)

    async def load(self, name: str, version: int | None = None, owner_id: str | None = None) -> LoadedPreset:
        """Return a version, the newest without a number."""
        owner = self._owner()
        if owner_id is not None and not (owner and same_address(owner_id, owner)):
            raise FloworkError(ErrorCode.NOT_FOUND, f"{owner_id} has no presets on this engine.")
        chain = await self._intact(name)
        return _loaded(chain.preset, _version_of(chain, version))

    async def newest(self, name: str) -> int:
        """Return the number of the newest version; 0 for a preset that does not exist."""
        return await asyncio.to_thread(self._newest, clean_name(name))

    async def runnable(self, name: str) -> SavedWorkflow:
        """Return the newest version, to be run; one that ran lately and is stored as it was then is at hand."""
        ready = self._at_hand.get(clean_name(name))
        if ready and self._table.newest_now(ready.preset.name) == (ready.preset, ready.newest):
            return self._saved(ready)
        return await asyncio.to_thread(self._runnable, name)

    def called(self, name: str) -> CalledWorkflow:
        """Return the newest version, to be run by a step of a run; blocks."""
        saved = self._runnable(name)
        return CalledWorkflow(saved.name, saved.version, saved.workflow_data)

    async def workflows(self, name: str) -> list[dict[str, Any]]:
        """Return the workflow of every version, newest first."""
        chain = await self._intact(name)
        return [version.document.workflow_data for version in reversed(chain.versions) if version.document]

    async def using(self, module_id: str) -> list[str]:
        """Return the names of the presets whose newest version has a step of this component."""
        return await asyncio.to_thread(self._using, module_id)

    async def save(
        self, name: str, workflow_data: dict[str, Any], signature: str, *, by: str, based_on: int | None
    ) -> None:
        """Append a version that the caller ``by`` has signed.

        Raises BAD_SIGNATURE, CONFLICT when ``based_on`` is not the newest version, and JOURNAL_CORRUPT where the
        chain is damaged: what is damaged is not continued.
        """
        name = clean_name(name)
        signer = await asyncio.to_thread(recover_preset, workflow_data, signature)
        if not same_address(signer, by):
            raise FloworkError(
                ErrorCode.BAD_SIGNATURE, "The preset's signature is not the caller's over this workflow."
            )
        async with self._changing:
            chain = await self._find(name)
            newest = chain.newest if chain else None
            _refuse_outdated(newest, based_on)
            _refuse_damaged(chain)
            preset = chain.preset if chain else PresetRow(new_id(), name)
            await self._append(preset, newest, (workflow_data, by, signature), Origin(by, self._now()))
            await self._tell(preset.name, workflow_data, by)

    async def restore(self, name: str, version: int, *, by: str) -> LoadedPreset:
        """Append an old version as the newest; its author and signature stay."""
        async with self._changing:
            chain = await self._intact(name)
            old = _document(_version_of(chain, version))
            origin = Origin(by, self._now(), version)
            content = (old.workflow_data, old.author_id, old.signature)
            await self._append(chain.preset, chain.newest, content, origin)
            await self._tell(chain.preset.name, old.workflow_data, by)
        return await self.load(name)

    async def delete(self, name: str) -> None:
        """Delete a preset with its versions; CONFLICT while an unfinished run was started from it."""
        async with self._changing:
            chain = await self._existing(name)
            run_id = await asyncio.to_thread(self._table.unfinished_run, chain.preset.name)
            if run_id is not None:
                message = f"Run {run_id} uses the preset {chain.preset.name!r} and has not ended."
                raise FloworkError(ErrorCode.CONFLICT, message, details={"job_id": run_id})
            await self._table.delete(chain.preset.id)
            self._good_heads.pop(chain.preset.id, None)
            await self._tell(chain.preset.name, None, "")

    async def versions(self, name: str) -> PresetVersions:
        """List a preset's versions, newest first, and what is wrong with them."""
        chain = await self._existing(name)
        return PresetVersions(
            name=chain.preset.name,
            versions=[_described(version) for version in reversed(chain.versions)],
            intact=chain.problem is None,
            problem=chain.problem,
        )

    async def diff(self, name: str, from_version: int, to_version: int) -> PresetDiff:
        """Compare two versions."""
        chain = await self._intact(name)
        before, after = (_document(_version_of(chain, number)) for number in (from_version, to_version))
        changes = await asyncio.to_thread(compare_workflows, before.workflow_data, after.workflow_data)
        return PresetDiff(
            name=chain.preset.name, from_version=from_version, to_version=to_version, changes=changes
        )

    async def _tell(self, name: str, workflow_data: dict[str, Any] | None, by: str) -> None:
        for listener in self._listeners:
            try:
                await listener(name, workflow_data, by)
            except FloworkError as error:
                facts = {"preset": name, "reason": error.message}
                _log.error("what follows a change of a preset failed", extra=facts)

    async def _append(
        self,
        preset: PresetRow,
        newest: Version | None,
        content: tuple[dict[str, Any], str, str],
        origin: Origin,
    ) -> None:
        workflow_data, author, signature = content
        document = Document(
            version=newest.number + 1 if newest else 1,
            author_id=author,
            timestamp=origin.at,
            previous_hash=newest.hash if newest else None,
            workflow_data=workflow_data,
            signature=signature,
        )
        row = await asyncio.to_thread(self._chains.seal, preset, document, origin)
        await self._table.append(preset, row)

    async def _intact(self, name: str) -> Chain:
        chain = await self._existing(name)
        _refuse_damaged(chain)
        return chain

    async def _existing(self, name: str) -> Chain:
        chain = await self._find(clean_name(name))
        if chain is None:
            raise _unknown(name)
        return chain

    async def _find(self, name: str) -> Chain | None:
        return await asyncio.to_thread(self._read, name)

    def _read(self, name: str) -> Chain | None:
        preset = self._table.find(name)
        return self._chains.check(preset, self._table.versions(preset.id)) if preset else None

    def _newest(self, name: str) -> int:
        preset = self._table.find(name)
        newest = self._table.newest(preset.id) if preset else None
        return newest.version if newest else 0

    def _using(self, module_id: str) -> list[str]:
        found = []
        for preset in self._table.all():
            newest = self._table.newest(preset.id)
            nodes = read_document(newest.body).workflow_data.get("nodes") if newest else None
            if any(isinstance(node, dict) and node.get("module_id") == module_id for node in nodes or ()):
                found.append(preset.name)
        return sorted(found)

    def _list(self) -> list[PresetItem]:
        items = []
        for preset in self._table.all():
            chain = self._chains.check(preset, self._table.versions(preset.id))
            newest = chain.newest
            document = newest.document if newest else None
            items.append(
                PresetItem(
                    id=preset.id,
                    name=preset.name,
                    version=newest.number if newest else 0,
                    updated_at=document.timestamp if document else "",
                    author_id=document.author_id if document else "",
                    intact=chain.problem is None,
                )
            )
        return items

    def _runnable(self, name: str) -> SavedWorkflow:
        """Check the whole chain once, and only the newest version's bytes as long as these stay the same."""
        preset = self._table.find(clean_name(name))
        if preset is None:
            raise _unknown(name)
        newest = self._table.newest(preset.id)
        if newest and self._good_heads.get(preset.id) == (preset.name, version_hash(newest.body)):
            document = read_document(newest.body)
        else:
            rows = self._table.versions(preset.id)
            chain = self._chains.check(preset, rows)
            _refuse_damaged(chain)
            version, newest = _version_of(chain, None), rows[-1]
            document = _document(version)
            self._good_heads[preset.id] = (preset.name, version.hash)
        data = document.workflow_data
        ready = Ready(preset, newest, data, canonical(data), _saved_at(document))
        self._at_hand.put(ready)
        return self._saved(ready)

    def _saved(self, ready: Ready) -> SavedWorkflow:
        data = self._pin(ready.workflow_data, ready.saved_at)
        json = ready.workflow_json if data is ready.workflow_data else None
        return SavedWorkflow(ready.preset.name, ready.newest.version, data, json)

    def _now(self) -> str:
        return iso(self._clock.now_ms())


def _refuse_outdated(newest: Version | None, based_on: int | None) -> None:
    current = newest.number if newest else 0
    if based_on is None or based_on == current:
        return
    document = newest.document if newest else None
    raise FloworkError(
        ErrorCode.CONFLICT,
        f"Your edit started from version {based_on}, but the newest is {current}.",
        details={
            "based_on": based_on,
            "version": current,
            "author_id": document.author_id if document else None,
            "timestamp": document.timestamp if document else None,
        },
    )


def _refuse_damaged(chain: Chain | None) -> None:
    if chain and chain.problem:
        message = f"The preset {chain.preset.name!r} is damaged and is not used. {chain.problem}"
        raise FloworkError(ErrorCode.JOURNAL_CORRUPT, message, details={"intact": False})


def _version_of(chain: Chain, number: int | None) -> Version:
    found = chain.newest if number is None else chain.find(number)
    if found is None:
        message = f"The preset {chain.preset.name!r} has no version {number}."
        raise FloworkError(ErrorCode.NOT_FOUND, message)
    return found


def _document(version: Version) -> Document:
    if version.document is None:
        raise TypeError("a version of an intact chain can be read")
    return version.document


def _loaded(preset: PresetRow, version: Version) -> LoadedPreset:
    document = _document(version)
    return LoadedPreset(
        name=preset.name,
        workflow_data=document.workflow_data,
        version=version.number,
        author_id=document.author_id,
        timestamp=document.timestamp,
        version_hash=version.hash,
        signature=document.signature,
    )


def _described(version: Version) -> PresetVersion:
    document = version.document
    return PresetVersion(
        version=version.number,
        timestamp=document.timestamp if document else "",
        author_id=document.author_id if document else "",
        version_hash=version.hash,
        previous_hash=document.previous_hash if document else None,
        signed=version.signed,
        restored_from=version.restored_from,
    )


def _saved_at(document: Document) -> int:
    return int(datetime.fromisoformat(document.timestamp).timestamp() * 1000)


def _unknown(name: str) -> FloworkError:
    return FloworkError(ErrorCode.NOT_FOUND, f"There is no preset {clean_name(name)!r}.")
