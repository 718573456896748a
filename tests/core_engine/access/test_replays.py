"""Used messages are noted on the disk, those of one tick in one piece, and honoured by the next process."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path
from typing import Any

import pytest

from core_engine.access.replays import ReplayJournal, _report
from core_engine.storage import EngineStore
from shared.errors import ErrorCode, FloworkError
from shared.signing.replay import ReplayEntry, ReplayWindow

NOW = 1_766_000_000_000
ENTRIES = [ReplayEntry(hashlib.sha256(name).digest(), NOW + 60_000) for name in (b"a", b"b", b"c")]


async def test_what_was_used_before_a_restart_is_refused_after_it(tmp_path: Path) -> None:
    store = EngineStore.open(tmp_path)
    journal = ReplayJournal(store)
    written: list[Any] = []
    submit = store.submit

    def watched(writes: Any, done: Any) -> None:
        written.append(writes)
        submit(writes, done)

    store.submit = watched  # type: ignore[method-assign]
    for entry in ENTRIES[:2]:
        journal.remember(entry)
    assert written == []
    await asyncio.sleep(0)
    journal.remember(ENTRIES[2])
    await asyncio.sleep(0)
    noted = [[(entry.key, entry.expires_ms) for entry in part] for part in (ENTRIES[:2], ENTRIES[2:])]
    assert [list(writes[0].replay) for writes in written] == noted
    assert all(len(writes) == 1 and writes[0].refusable for writes in written)
    await store.put("after", b"x")  # what is queued later is written later
    store.close()
    again = EngineStore.open(tmp_path)
    try:
        window = ReplayWindow()
        ReplayJournal(again).restore(window, NOW)
        assert len(window) == 3
        for entry in ENTRIES:
            with pytest.raises(FloworkError) as caught:
                window.use(entry, NOW)
            assert caught.value.code is ErrorCode.REPLAYED
    finally:
        again.close()


def test_what_could_not_be_noted_is_said_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    _report([], None)
    assert caplog.messages == []
    _report([], FloworkError(ErrorCode.STORAGE_FULL, "The disk is full."))
    assert caplog.messages == ["could not note used messages"]
