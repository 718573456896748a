"""Reads for the event loop: the runs that are looked up in one turn of it share a transaction."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import suppress
from typing import Any

from typing_extensions import override

from core_engine.storage.link import Link
from core_engine.storage.reader import ONE_RUN, Reader
from core_engine.storage.rows import RunRow


class TurnReader(Reader):
    """A reader that keeps its view of the runs until the loop's next turn; every other read sees what is newest.

    Nothing that the loop has heard of is missing in the view: whoever stores something tells the loop afterwards, and
    that is heard behind the end of the view, which stands in the loop's line since the view began.
    """

    def __init__(self, connection: Link) -> None:
        super().__init__(connection)
        self._viewer: asyncio.AbstractEventLoop | None = None

    @override
    def run(self, run_id: str) -> RunRow | None:
        """Return a run's summary."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return super().run(run_id)
        with self._lock:
            try:
                if self._viewer is not loop:
                    self._begin(loop)
                row = self._connection.execute(ONE_RUN, (run_id,)).fetchone()
            except sqlite3.DatabaseError as error:
                self._end()
                raise self.unreadable(error) from error
        return RunRow(*row) if row else None

    @override
    def _all(self, sql: str, parameters: tuple[Any, ...] = ()) -> list[Any]:
        self._end_turn()
        return super()._all(sql, parameters)

    @override
    def _whole(self, run_id: str) -> tuple[RunRow, list[Any], Any] | None:
        self._end()
        return super()._whole(run_id)

    def _begin(self, loop: asyncio.AbstractEventLoop) -> None:
        self._end()
        self._connection.execute("BEGIN")
        self._viewer = loop
        loop.call_soon(self._end_turn)

    def _end_turn(self) -> None:
        with self._lock:
            self._end()

    def _end(self) -> None:
        """Give the view up; the caller holds the lock."""
        if self._viewer is not None:
            self._viewer = None
            with suppress(sqlite3.Error):  # closed meanwhile, or ended by the error that is being told
                self._connection.execute("COMMIT")
