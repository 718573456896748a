"""The fence of the journal: whoever lost the data folder to a later engine gets nothing written any more.

The lock (`core_engine.storage.lock`) keeps a second engine out while the first one lives, also while it is stopped.
It does not hold where somebody deletes the lock file, or where the folder lies on a file system without locks. Then
two engines could write one journal. So each start takes the next number (the epoch), and every transaction checks,
once nobody else can write, that its own number is still the newest.
"""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from typing import Any

from typing_extensions import override

EPOCH_KEY = "engine.epoch"
_BEGIN = "BEGIN IMMEDIATE"
_WRITES = ("INSERT", "UPDATE", "DELETE", "REPLACE")
_READ_EPOCH = "SELECT body FROM value WHERE key = ?"


class StaleWriterError(sqlite3.Error):
    """A later engine works on the same data: what this one wanted to write was refused as a whole."""


class FencedConnection(sqlite3.Connection):
    """A writing connection in autocommit mode; from `raise_fence` on, each of its transactions is checked."""

    _epoch = 0

    def raise_fence(self) -> int:
        """Take the next epoch and return it; every writer with an older one is refused from here on."""
        super().execute(_BEGIN)
        epoch = self._newest() + 1
        super().execute("INSERT OR REPLACE INTO value VALUES (?, ?)", (EPOCH_KEY, str(epoch).encode("ascii")))
        super().execute("COMMIT")
        self._epoch = epoch
        return epoch

    @override
    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        """Run a statement; raises StaleWriterError where it would write behind a later engine's back."""
        if not self._epoch or self.in_transaction:
            return super().execute(sql, parameters)
        if sql == _BEGIN:
            cursor = super().execute(sql)
            self._check()
            return cursor
        if not sql.startswith(_WRITES):
            return super().execute(sql, parameters)
        super().execute(_BEGIN)
        self._check()
        try:
            cursor = super().execute(sql, parameters)
            super().execute("COMMIT")
        except sqlite3.Error:
            self._roll_back()
            raise
        return cursor

    def _check(self) -> None:
        """Hold the write lock and look: nobody can take the next epoch between this and the commit."""
        newest = self._newest()
        if newest == self._epoch:
            return
        self._roll_back()
        raise StaleWriterError(
            f"another engine took this data over (its start has the number {newest}, this one's {self._epoch})"
        )

    def _newest(self) -> int:
        row = super().execute(_READ_EPOCH, (EPOCH_KEY,)).fetchone()
        return int(row[0]) if row else 0

    def _roll_back(self) -> None:
        with suppress(sqlite3.Error):
            if self.in_transaction:
                super().execute("ROLLBACK")
