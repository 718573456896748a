"""Databases of earlier versions are brought up to date, with what they hold."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from core_engine.storage import EngineStore, schema


@pytest.mark.parametrize("version", range(1, schema.VERSION))
async def test_a_database_of_an_earlier_version_is_brought_up_to_date(tmp_path: Path, version: int) -> None:
    link = sqlite3.connect(tmp_path / "engine.db")
    link.executescript("".join(schema._STEPS[:version]) + f"PRAGMA user_version = {version};")
    link.execute("INSERT INTO value VALUES ('kept', x'01')")
    link.execute("INSERT INTO replay (key, expires_ms) VALUES (x'0a', 2000), (x'0b', 1000)")
    link.commit()
    link.close()
    store = EngineStore.open(tmp_path)
    try:
        assert store.get("kept") == b"\x01"
        assert store.replay_keys(now_ms=1000) == [(b"\x0a", 2000)]
        assert store.archive.query("SELECT count(*) FROM preset_version") == [(0,)]
        assert store.reads.query("PRAGMA user_version") == [(schema.VERSION,)]
    finally:
        store.close()
