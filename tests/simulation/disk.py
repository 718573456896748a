"""The disk of a simulated engine: a real SQLite journal in memory that outlives crashes, and everything that fails."""

from __future__ import annotations

import functools
import itertools
import random
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from typing_extensions import override

from core_engine.storage import EngineStore
from core_engine.storage.blobs import blob_name
from core_engine.storage.embedded import _delete, _delete_workflows
from core_engine.storage.fence import FencedConnection
from core_engine.storage.parts import Chores, Parts, settle_row
from core_engine.storage.reader import Reader
from core_engine.storage.schema import _STEPS
from core_engine.storage.writer import Writer
from shared.errors import ErrorCode, FloworkError
from tests.simulation.loop import Crash, SimLoop


class Trouble:
    """What may go wrong with the disk now; the chances are per transaction."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.on = True
        self.slow = 0.002
        self.full = self.broken = self.dies = 0.0

    def strikes(self, chance: float) -> bool:
        """Tell whether something of that chance happens."""
        return self.on and chance > 0 and self.rng.random() < chance

    def wait(self) -> float:
        """Return how long the next transaction takes to begin."""
        return self.rng.expovariate(1 / self.slow) if self.on else 0.001


class FaultyLink:
    """The writing connection of one process: it fails, and dies just before or just after a commit."""

    def __init__(self, connection: FencedConnection, trouble: Trouble) -> None:
        self._connection = connection
        self._trouble = trouble

    @property
    def in_transaction(self) -> bool:
        return self._connection.in_transaction

    def execute(self, sql: str, parameters: Sequence[Any] = (), /) -> Any:
        trouble = self._trouble
        if sql == "COMMIT":
            return self._commit()
        if sql.startswith("INSERT") and trouble.strikes(trouble.full):
            raise failure("database or disk is full", sqlite3.SQLITE_FULL)
        return self._connection.execute(sql, parameters)

    def _commit(self) -> Any:
        trouble = self._trouble
        if trouble.strikes(trouble.dies):
            before = trouble.rng.random() < 0.5
            self._connection.execute("ROLLBACK" if before else "COMMIT")
            raise Crash
        if trouble.strikes(trouble.broken):
            # nobody knows whether what a failed sync was about is on the disk
            self._connection.execute("ROLLBACK" if trouble.rng.random() < 0.5 else "COMMIT")
            raise failure("disk I/O error", sqlite3.SQLITE_IOERR_FSYNC)
        return self._connection.execute("COMMIT")

    def executemany(self, sql: str, parameters: Any, /) -> Any:
        return self._connection.executemany(sql, parameters)

    def close(self) -> None:
        """Leave the connection to the next process."""


def failure(text: str, code: int) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError(text)
    error.sqlite_errorcode = code
    return error


class SteppedWriter(Writer):
    """The product's writer, whose thread is a timer of the simulation."""

    def __init__(self, connection: FaultyLink, blobs: Any, loop: SimLoop, trouble: Trouble) -> None:
        super().__init__(connection, blobs)
        self._loop = loop
        self._trouble = trouble
        self._handle: Any = None
        self.commits = 0

    @override
    def start(self) -> None:
        """Need no thread."""

    @override
    def submit(self, writes: Any, done: Any) -> None:
        super().submit(writes, done)
        self._later(self._trouble.wait())

    @override
    def perform(self, job: Any, done: Any) -> None:
        super().perform(job, done)
        self._later(self._trouble.wait())

    def _later(self, seconds: float) -> None:
        if self._handle is None and not self._loop.is_closed():
            self._handle = self._loop.call_later(seconds, self._turn)

    def _turn(self) -> None:
        self._handle = None
        self.commits += 1
        submissions = self._kept_and([]) if self._queue.empty() else self._collect()
        if self.failure:
            self._give_up(submissions)
        else:
            self._commit(submissions)
        if self._wait:
            self._later(self._wait)
        elif not self._queue.empty():
            self._later(self._trouble.wait())

    @override
    def close(self, timeout: float) -> bool:
        while not self._queue.empty():
            self._turn()
        self._give_up(self._kept)
        return True


class MemoryBlobs:
    """Payload files that outlive crashes."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    def write(self, name: str, content: bytes) -> None:
        self.files.setdefault(name, content)

    def read(self, name: str) -> bytes:
        content = self.files.get(name)
        if content is None or blob_name(content) != name:
            raise FloworkError(ErrorCode.JOURNAL_CORRUPT, f"The payload file {name} is missing.")
        return content

    def remove(self, name: str) -> None:
        self.files.pop(name, None)

    def names(self) -> Iterator[str]:
        return iter(sorted(self.files))

    def size(self) -> int:
        return sum(map(len, self.files.values()))


class _Released:
    def release(self) -> None:
        """Hold nothing."""


class Disk:
    """What is left of an engine when its process is gone."""

    def __init__(self) -> None:
        self.connection = FencedConnection(":memory:", isolation_level=None, check_same_thread=False)
        self.connection.deserialize(_template())
        self.blobs = MemoryBlobs()
        self.reader = Reader(self.connection)

    def open(self, loop: SimLoop, trouble: Trouble) -> EngineStore:
        """Open the store as a new process does."""
        if self.connection.in_transaction:
            self.connection.execute("ROLLBACK")
        epoch = self.connection.raise_fence()
        blobs: Any = self.blobs
        numbers: Callable[[], int] = partial(next, itertools.count(self.reader.last_run_number() + 1))
        reader = _KeptReader(self.connection)
        return EngineStore(
            _Released(),
            Parts(
                writer=SteppedWriter(FaultyLink(self.connection, trouble), blobs, loop, trouble),
                reads=reader,
                archive=reader,
                blobs=blobs,
                epoch=epoch,
                numbers=numbers,
                chores=Chores(partial(_delete, blobs), _delete_workflows, settle_row),
            ),
        )

    def close(self) -> None:
        self.connection.close()


class _KeptReader(Reader):
    @override
    def close(self) -> None:
        """Leave the connection to the next process."""


@functools.cache
def _template() -> bytes:
    """Return an empty database."""
    connection = sqlite3.connect(":memory:")
    connection.executescript("BEGIN;" + "".join(_STEPS) + "COMMIT;")
    return connection.serialize()
