"""Copies of files that stay whole while a running service goes on writing."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from shared.errors import ErrorCode, FloworkError

CHUNK = 1024 * 1024
_SQLITE_HEADER = b"SQLite format 3\0"
_BUSY_SECONDS = 30.0
_TRANSIENT = ("-wal", "-shm", "-journal", ".lock", ".tmp", ".new")


def kept_files(data_dir: Path) -> Iterator[Path]:
    """Yield the regular files that belong into a backup, databases before everything else.

    A payload file is on the disk before the journal names it: copied in this order, none is missing.
    Locks, addresses and what a service is only just writing stay out; links are not followed.
    """
    found = [path for path in sorted(_walk(data_dir)) if not _is_transient(path)]
    databases = [path for path in found if is_database(path)]
    yield from databases
    known = set(databases)
    # Looked up only now: what was added while the databases were copied is wanted too.
    yield from (path for path in sorted(_walk(data_dir)) if path not in known and not _is_transient(path))


def is_database(path: Path) -> bool:
    """Tell whether a file is a SQLite database."""
    try:
        with path.open("rb") as file:
            return file.read(len(_SQLITE_HEADER)) == _SQLITE_HEADER
    except FileNotFoundError:
        return False
    except OSError as error:
        raise _unreadable(path, error) from error


def copy_database(source: Path, target: Path) -> None:
    """Copy a database with the changes that are committed now, as one state, also while it is in use.

    Raises CONFIGURATION for one that cannot be read or that is not whole.
    """
    try:
        with (
            closing(
                sqlite3.connect(f"{source.absolute().as_uri()}?mode=rw", uri=True, timeout=_BUSY_SECONDS)
            ) as one,
            closing(sqlite3.connect(target)) as other,
        ):
            one.backup(other)
            other.execute("PRAGMA journal_mode = DELETE")  # one file, without a log beside it
    except sqlite3.Error as error:
        raise _unreadable(source, error) from error
    if reason := fault_of(target):
        raise FloworkError(ErrorCode.CONFIGURATION, f"The database {source} is not whole: {reason}.")


def fault_of(database: Path) -> str | None:
    """Return what SQLite's own check finds wrong first, or None."""
    try:
        with closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=rw", uri=True)) as connection:
            (answer,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    except sqlite3.Error as error:
        return str(error)
    return None if answer == "ok" else str(answer)


def copy_file(source: Path, target: Path) -> bool:
    """Copy a file as it is now; return False where it has gone or is no regular file any more."""
    try:
        handle = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise _unreadable(source, error) from error
    with os.fdopen(handle, "rb") as file, target.open("wb") as copy:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            return False
        while chunk := file.read(CHUNK):
            copy.write(chunk)
    return True


def _walk(data_dir: Path) -> Iterator[Path]:
    for folder, _, names in os.walk(data_dir, followlinks=False):
        for name in names:
            path = Path(folder) / name
            if path.is_file() and not path.is_symlink():
                yield path


def _is_transient(path: Path) -> bool:
    # What users keep under these names in the workflows' files is theirs.
    if "files" in path.parts:
        return False
    return path.name == "address.json" or path.name.startswith(".") or path.name.endswith(_TRANSIENT)


def _unreadable(path: Path, error: Exception) -> FloworkError:
    return FloworkError(ErrorCode.CONFIGURATION, f"Cannot read {path}: {error}.")
