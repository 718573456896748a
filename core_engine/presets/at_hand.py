"""The saved workflows that ran lately, read and ready: who starts one again waits for one quick read."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from core_engine.storage.presets import PresetRow, VersionRow

_MOST_BYTES = 4 * 1024 * 1024
"""Of versions as they are stored; what is made of them takes some ten times as much memory."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A newest version whose chain was found good, and what stands in it. Nobody may change ``workflow_data``."""

    preset: PresetRow
    newest: VersionRow
    workflow_data: dict[str, Any]
    workflow_json: bytes
    saved_at: int


class AtHand:
    """What was run lately by name; what was not for longest goes first. It is used on any thread.

    Whoever takes something from here compares it with what is stored now: it is worth nothing otherwise.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ready: OrderedDict[str, Ready] = OrderedDict()
        self._bytes = 0

    def get(self, name: str) -> Ready | None:
        """Return what was kept under a preset's name."""
        with self._lock:
            found = self._ready.get(name)
            if found is not None:
                self._ready.move_to_end(name)
            return found

    def put(self, ready: Ready) -> None:
        """Keep it instead of what was kept under its preset's name, unless it is too large to be kept."""
        with self._lock:
            self._drop(ready.preset.name)
            if len(ready.newest.body) <= _MOST_BYTES:
                self._ready[ready.preset.name] = ready
                self._bytes += len(ready.newest.body)
            while self._bytes > _MOST_BYTES:
                self._drop(next(iter(self._ready)))

    def _drop(self, name: str) -> None:
        dropped = self._ready.pop(name, None)
        if dropped is not None:
            self._bytes -= len(dropped.newest.body)
