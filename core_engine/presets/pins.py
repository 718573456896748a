"""Results stored for nodes of presets, for runs that try a workflow out."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec

from core_engine.storage import EngineStore
from shared.clock import Clock
from shared.contract.pin import MAX_PINS
from shared.errors import ErrorCode, FloworkError

LARGEST = 4 * 1024 * 1024
"""Bytes of JSON that the pins of one preset, or of one run, may take."""


class KeptPin(msgspec.Struct, frozen=True):
    """One pin; ``outputs`` are JSON values by port (`shared.contract.pin.PinnedOutputs`), ``at`` is Unix ms."""

    outputs: dict[str, Any]
    source: str | None
    by: str
    at: int


_Pins = dict[str, KeptPin]
_decode = msgspec.json.Decoder(_Pins).decode


class PinService:
    """The stored pins of every preset, by node. A change is synced before the call returns."""

    def __init__(self, store: EngineStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._changing = asyncio.Lock()

    def of(self, preset: str) -> dict[str, KeptPin]:
        """Return the pins of a preset by node id."""
        body = self._store.get(_key(preset))
        return _decode(body) if body else {}

    async def put(
        self, preset: str, node_id: str, outputs: Mapping[str, Any], *, by: str, source: str | None
    ) -> None:
        """Store a node's result; raises TOO_LARGE when the preset's pins would take too much room."""
        async with self._changing:
            pin = KeptPin(dict(outputs), source, by, self._clock.now_ms())
            await self._write(preset, {**self.of(preset), node_id: pin})

    async def clear(self, preset: str, node_id: str | None = None) -> None:
        """Take the pin of a node away, or all of a preset; one that is not there is no mistake."""
        async with self._changing:
            pins = {} if node_id is None else self.of(preset)
            pins.pop(node_id or "", None)
            await self._write(preset, pins)

    async def _write(self, preset: str, pins: dict[str, KeptPin]) -> None:
        body = msgspec.json.encode(pins)
        check_size(len(pins), len(body))
        await self._store.put(_key(preset), body)


def check_size(count: int, size: int) -> None:
    """Refuse more pins, or more bytes of them, than one preset or run may have."""
    if count > MAX_PINS or size > LARGEST:
        message = f"At most {MAX_PINS} pins of together {LARGEST // 1024 // 1024} MiB are possible."
        raise FloworkError(ErrorCode.TOO_LARGE, message)


def _key(preset: str) -> str:
    return f"pins/{preset}"
