"""Stored pins: kept over restarts, bounded, taken away."""

from __future__ import annotations

from pathlib import Path

import pytest

from core_engine.presets.pins import LARGEST, PinService
from core_engine.storage import EngineStore
from shared.clock import SystemClock
from shared.contract.pin import MAX_PINS
from shared.errors import ErrorCode, FloworkError


async def test_pins_are_kept_and_bounded(tmp_path: Path) -> None:
    store = EngineStore.open(tmp_path)
    pins = PinService(store, SystemClock())
    await pins.put("Daily", "a", {"success": {"n": 1}}, by="0xa", source="run-1")
    await pins.put("Daily", "b", {"success": 2}, by="0xa", source=None)
    await pins.clear("Daily", "b")
    await pins.clear("Daily", "never there")
    with pytest.raises(FloworkError) as caught:
        await pins.put("Daily", "c", {"success": "x" * LARGEST}, by="0xa", source=None)
    assert caught.value.code is ErrorCode.TOO_LARGE
    assert list(pins.of("Daily")) == ["a"]
    for number in range(MAX_PINS - 1):
        await pins.put("Daily", f"n{number}", {"success": 1}, by="0xa", source=None)
    with pytest.raises(FloworkError, match=f"At most {MAX_PINS} pins"):
        await pins.put("Daily", "one more", {"success": 1}, by="0xa", source=None)
    store.close()
    again = EngineStore.open(tmp_path)
    found = PinService(again, SystemClock()).of("Daily")["a"]
    assert (found.outputs, found.source, found.by) == ({"success": {"n": 1}}, "run-1", "0xa")
    assert PinService(again, SystemClock()).of("Weekly") == {}
    again.close()
