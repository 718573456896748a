"""Notes used messages on the disk, so that a signature is good once also across a restart."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from core_engine.storage import EngineStore, Write
from shared.errors import FloworkError
from shared.signing.replay import ReplayEntry, ReplayWindow

_log = logging.getLogger(__name__)


class ReplayJournal:
    """Hands the used messages of each tick to the storage in one piece.

    It runs ahead of the commands themselves, and the storage writes in order: a command's own records are never
    on the disk without the note that its message was used.
    """

    def __init__(self, store: EngineStore) -> None:
        self._store = store
        self._waiting: list[tuple[bytes, int]] = []

    def restore(self, window: ReplayWindow, now_ms: int) -> None:
        """Fill the guard with what an earlier process noted."""
        window.load((ReplayEntry(key, expires) for key, expires in self._store.replay_keys(now_ms)), now_ms)

    def remember(self, entry: ReplayEntry) -> None:
        """Note a used message; call it before the task that acts on the message is made."""
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self._flush)
        self._waiting.append((entry.key, entry.expires_ms))

    def _flush(self) -> None:
        entries, self._waiting = tuple(self._waiting), []
        self._store.submit([Write(replay=entries, refusable=True)], _report)


def _report(_: Sequence[Write], error: FloworkError | None) -> None:
    if error is not None:
        # A command that writes fails with the same error; one that only reads does no harm twice.
        _log.warning("could not note used messages", extra={"reason": error.message})
