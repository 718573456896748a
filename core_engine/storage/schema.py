"""The engine's database file: its tables, its version and how a connection to it is opened."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import TypeVar

from core_engine.storage.fence import FencedConnection
from shared.errors import ErrorCode, FloworkError

ConnectionT = TypeVar("ConnectionT", bound=sqlite3.Connection)

_RUNS = """
CREATE TABLE run (
  number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, started_by TEXT NOT NULL, preset TEXT, mode TEXT NOT NULL,
  status TEXT NOT NULL, started_at INTEGER NOT NULL, finished_at INTEGER, workflow TEXT NOT NULL, error TEXT,
  records INTEGER NOT NULL, last_seq INTEGER NOT NULL, status_seq INTEGER NOT NULL);
CREATE INDEX run_by_starter ON run (started_by, number);
CREATE INDEX run_unfinished ON run (number) WHERE finished_at IS NULL;
CREATE TABLE segment (key INTEGER PRIMARY KEY, crc INTEGER NOT NULL, body BLOB NOT NULL);
CREATE TABLE workflow (hash TEXT PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE blob (run INTEGER NOT NULL, name TEXT NOT NULL, PRIMARY KEY (run, name)) WITHOUT ROWID;
CREATE INDEX blob_by_name ON blob (name);
CREATE TABLE value (key TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE replay (key BLOB PRIMARY KEY, expires_ms INTEGER NOT NULL) WITHOUT ROWID;
"""
_DOCUMENTS = """
CREATE TABLE preset (id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE) WITHOUT ROWID;
CREATE TABLE preset_version (
  preset TEXT NOT NULL, version INTEGER NOT NULL, body BLOB NOT NULL, attestation BLOB NOT NULL,
  PRIMARY KEY (preset, version));
CREATE TABLE variable (
  owner TEXT NOT NULL, name TEXT NOT NULL, body BLOB NOT NULL, PRIMARY KEY (owner, name)) WITHOUT ROWID;
"""
_FAMILIES = """
ALTER TABLE run ADD COLUMN parent TEXT;
ALTER TABLE run ADD COLUMN parent_node TEXT;
ALTER TABLE run ADD COLUMN item INTEGER;
ALTER TABLE run ADD COLUMN origin TEXT NOT NULL DEFAULT 'command';
ALTER TABLE run ADD COLUMN result BLOB;
ALTER TABLE run ADD COLUMN settled INTEGER NOT NULL DEFAULT 1;
CREATE INDEX run_unsettled ON run (number) WHERE settled = 0;
CREATE INDEX run_by_parent ON run (parent, parent_node, item) WHERE parent IS NOT NULL;
CREATE INDEX run_by_start ON run (started_at) WHERE parent IS NULL;
CREATE INDEX run_by_preset ON run (preset, number) WHERE preset IS NOT NULL;
"""
_COMPONENT_STATE = """
CREATE TABLE component_value (
  scope TEXT NOT NULL, name TEXT NOT NULL, body BLOB NOT NULL, PRIMARY KEY (scope, name)) WITHOUT ROWID;
CREATE TABLE component_effect (key TEXT PRIMARY KEY, body BLOB NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX component_effect_by_age ON component_effect (at);
CREATE TABLE component_seen (
  list TEXT NOT NULL, mark BLOB NOT NULL, first_by BLOB NOT NULL, expires INTEGER NOT NULL,
  PRIMARY KEY (list, mark)) WITHOUT ROWID;
CREATE INDEX component_seen_by_age ON component_seen (list, expires);
"""
_TRIGGERS = """
CREATE TABLE trigger_rule (id TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE trigger_decided (rule TEXT PRIMARY KEY, due INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE trigger_fire (
  number INTEGER PRIMARY KEY AUTOINCREMENT, run_id TEXT NOT NULL UNIQUE, rule TEXT NOT NULL, key TEXT NOT NULL,
  due INTEGER NOT NULL, at INTEGER NOT NULL, depth INTEGER NOT NULL, body BLOB NOT NULL);
CREATE TABLE trigger_delivery (
  rule TEXT NOT NULL, delivery TEXT NOT NULL, run_id TEXT NOT NULL, expires_ms INTEGER NOT NULL,
  PRIMARY KEY (rule, delivery)) WITHOUT ROWID;
CREATE INDEX trigger_delivery_by_end ON trigger_delivery (expires_ms);
"""
_PARKED = """
CREATE TABLE parked (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, due INTEGER);
CREATE INDEX parked_by_due ON parked (due) WHERE due IS NOT NULL;
CREATE TABLE event_wait (
  token TEXT PRIMARY KEY, run_id TEXT NOT NULL, node TEXT NOT NULL, wait_id TEXT NOT NULL UNIQUE, event TEXT NOT NULL,
  correlation TEXT, due INTEGER) WITHOUT ROWID;
CREATE INDEX event_wait_by_name ON event_wait (event);
CREATE INDEX event_wait_by_run ON event_wait (run_id, node);
"""
# In the order of their ends keys that come together lie together; by themselves each dirties a page of its own.
_REPLAY_BY_END = """
CREATE TABLE replay_by_end (
  key BLOB NOT NULL, expires_ms INTEGER NOT NULL, PRIMARY KEY (expires_ms, key)) WITHOUT ROWID;
INSERT INTO replay_by_end SELECT key, expires_ms FROM replay;
DROP TABLE replay;
ALTER TABLE replay_by_end RENAME TO replay;
"""
_STEPS = (_RUNS, _DOCUMENTS, _FAMILIES, _COMPONENT_STATE, _TRIGGERS, _PARKED, _REPLAY_BY_END)
VERSION = len(_STEPS)
"""The version of the database is the number of steps that made it; each step is kept for ever."""


def connect(path: Path) -> FencedConnection:
    """Open a connection in autocommit mode; the caller guards it against use by two threads at once."""
    connection = _open(path, FencedConnection)
    connection.execute("PRAGMA wal_autocheckpoint = 4000")
    # the file shrinks back after a burst instead of keeping its largest size for ever
    connection.execute(f"PRAGMA journal_size_limit = {64 * 1024 * 1024}")
    return connection


def connect_to_read(path: Path) -> sqlite3.Connection:
    """Open a connection that cannot change anything, and so needs no fence; it is guarded by the caller, too."""
    connection = _open(path, sqlite3.Connection)
    connection.execute("PRAGMA query_only = ON")
    return connection


def _open(path: Path, kind: type[ConnectionT]) -> ConnectionT:
    # The library looks for a way to store whatever is no number and no text; what it finds, it finds quickly.
    sqlite3.register_adapter(type(None), _as_it_is)
    sqlite3.register_adapter(bytes, _as_it_is)
    connection = sqlite3.connect(
        path,
        timeout=5,
        isolation_level=None,
        check_same_thread=False,
        factory=kind,
        cached_statements=256,
    )
    connection.execute("PRAGMA busy_timeout = 5000")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA cache_size = -16384")
    return connection


def _as_it_is(value: bytes | None) -> bytes | None:
    return value


def prepare(path: Path) -> FencedConnection:
    """Make the database where there is none, check its version, and return the connection that may write.

    Raises FloworkError CONFIGURATION for a file of a newer version and JOURNAL_CORRUPT for one that is no database;
    sqlite3.Error where the disk is full or fails.
    """
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    connection = None
    try:
        connection = connect(path)
        connection.execute("PRAGMA journal_mode = WAL")
        _migrate(connection, path)
    except (sqlite3.DatabaseError, FloworkError) as error:
        if connection:
            connection.close()
        if isinstance(error, FloworkError) or _is_of_the_disk(error):
            raise
        message = f"The engine's database {path} cannot be opened: {error}."
        raise FloworkError(ErrorCode.JOURNAL_CORRUPT, message) from error
    return connection


def _is_of_the_disk(error: sqlite3.DatabaseError) -> bool:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    (found,) = connection.execute("PRAGMA user_version").fetchone()
    if found > VERSION:
        message = f"{path} was written by a newer engine (version {found}, this one reads {VERSION})."
        raise FloworkError(ErrorCode.CONFIGURATION, message)
    if found < VERSION:
        steps = "".join(_STEPS[found:])
        connection.executescript(f"BEGIN;{steps}PRAGMA user_version = {VERSION};COMMIT;")
