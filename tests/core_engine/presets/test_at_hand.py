"""What ran lately is at hand, as long as it is stored byte for byte as it was; and how much of it is kept."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core_engine.presets import PresetService
from core_engine.presets import at_hand as module
from core_engine.presets.at_hand import AtHand, Ready
from core_engine.presets.attestation import EngineKey
from core_engine.storage import EngineStore
from core_engine.storage.presets import PresetRow, PresetTable, VersionRow
from core_engine.workflow.graph import canonical
from shared.clock import SystemClock
from shared.errors import ErrorCode
from shared.signing.presets import sign_preset
from tests.core_engine.engine import OWNER, chain
from tests.shared.signing.examples import refused


def ready(name: str, size: int) -> Ready:
    return Ready(PresetRow(f"id-{name}", name), VersionRow(1, b"x" * size, b""), {}, b"{}", 0)


def test_what_was_not_used_for_longest_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_BYTES", 30)
    kept = AtHand()
    for name in ("a", "b", "c"):
        kept.put(ready(name, 10))
    kept.put(ready("b", 8))
    assert kept.get("a")
    kept.put(ready("d", 12))
    assert [name for name in "abcd" if kept.get(name)] == ["a", "b", "d"]
    kept.put(ready("b", 31))
    assert [name for name in "abcd" if kept.get(name)] == ["a", "d"], (
        "neither what is too large nor its former"
    )


async def test_a_preset_that_ran_lately_takes_one_read_and_no_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = EngineStore.open(tmp_path)
    presets = PresetService(PresetTable(store), EngineKey(b"k" * 32), SystemClock(), lambda: OWNER.address)
    threads: list[Callable[..., Any]] = []

    async def counted(function: Callable[..., Any], *args: Any) -> Any:
        threads.append(function)
        return function(*args)

    for length in (1, 2):
        data = chain(length)
        await presets.save("Daily", data, sign_preset(OWNER, data), by=OWNER.address, based_on=None)
        with monkeypatch.context() as patched:
            patched.setattr(asyncio, "to_thread", counted)
            first, second = await presets.runnable("Daily"), await presets.runnable(" Daily")
        assert len(threads) == length, "only the first time, and again for a new version"
        assert first == second
        assert (second.version, second.workflow_data) == (length, data)
        assert second.workflow_json == canonical(data)
    await presets.delete("Daily")
    with refused(ErrorCode.NOT_FOUND):
        await presets.runnable("Daily")
    store.close()


async def test_what_is_added_to_a_saved_workflow_is_in_its_json(tmp_path: Path) -> None:
    store = EngineStore.open(tmp_path)
    key, owner = EngineKey(b"k" * 32), lambda: OWNER.address
    presets = PresetService(
        PresetTable(store), key, SystemClock(), owner, lambda data, _: {**data, "more": 1}
    )
    data = chain(1)
    await presets.save("Daily", data, sign_preset(OWNER, data), by=OWNER.address, based_on=None)
    for _ in range(2):
        saved = await presets.runnable("Daily")
        assert saved.workflow_data == {**data, "more": 1}
        assert saved.workflow_json in {None, canonical(saved.workflow_data)}
    store.close()
