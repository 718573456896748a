"""The rows of the engine's database and how many of them are written with one statement."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any, NamedTuple

from core_engine.storage.link import Link

SEGMENT_BITS = 24
_CHUNKS = (128, 96, 64, 48, 32, 24, *range(16, 0, -1))
"""Rows of one statement: any small number in one, because each one more has to wait for the interpreter lock."""


class RunRow(NamedTuple):
    """The summary of a run, as it stands after the segment written with it.

    ``number`` is the engine's own running number, times are Unix milliseconds, ``records`` counts the run's
    journal records, ``last_seq`` its events; ``status_seq`` is the number of its latest status event. A run that a
    step of another run started names that run, the step's node and its own place among the step's runs. ``origin``
    says what started it (`core_engine.kernel.ports.StartRun`); ``result`` is what it gave once it has ended well:
    JSON, or a reference to a payload file. ``settled`` is 0 while an ended run's listeners have not all been told.
    """

    number: int
    id: str
    started_by: str
    preset: str | None
    mode: str
    status: str
    started_at: int
    finished_at: int | None
    workflow: str
    error: str | None
    records: int
    last_seq: int
    status_seq: int
    parent: str | None = None
    parent_node: str | None = None
    item: int | None = None
    origin: str = "command"
    result: bytes | None = None
    settled: int = 1


class SegmentRow(NamedTuple):
    """Some consecutive journal records of one run; make it with `SegmentRow.of`."""

    key: int
    crc: int
    body: bytes

    @classmethod
    def of(cls, run_number: int, first_record: int, body: bytes) -> SegmentRow:
        """Seal a body: its place and its bytes are covered by the checksum."""
        key = segment_key(run_number, first_record)
        return cls(key, checksum(key, body), body)


class WorkflowRow(NamedTuple):
    """A workflow under the hash of its canonical JSON; stored once, however many runs use it."""

    hash: str
    body: bytes


class BlobRow(NamedTuple):
    """A large payload of a run: its content is written to a file before the row."""

    run: int
    name: str
    content: bytes


class ParkedRow(NamedTuple):
    """A run that only waits and leaves memory; ``due`` is when it has something to do, None: only when told."""

    number: int
    id: str
    due: int | None


class EventWaitRow(NamedTuple):
    """A step that waits for an event, by name or by its token; ``due`` is when it stops, in Unix milliseconds."""

    token: str
    run_id: str
    node: str
    wait_id: str
    event: str
    correlation: str | None
    due: int | None


class Write(NamedTuple):
    """What belongs together: all of it is stored or nothing.

    ``parked`` leaves memory, ``unparked`` (numbers of runs) are there again. ``event_waits`` begin, and those of
    ``ended_waits`` (run ids and node ids) are over.

    ``refusable`` tells what happens while the disk is full: a refusable write is given back with STORAGE_FULL,
    any other one is kept and tried again until it succeeds. A refusable write with a run is a new run; it is given
    back with CONFLICT when its id is taken. ``token`` is the caller's.
    """

    run: RunRow | None = None
    segment: SegmentRow | None = None
    workflow: WorkflowRow | None = None
    blobs: tuple[BlobRow, ...] = ()
    values: tuple[tuple[str, bytes], ...] = ()
    replay: tuple[tuple[bytes, int], ...] = ()
    refusable: bool = False
    token: Any = None
    parked: ParkedRow | None = None
    unparked: tuple[int, ...] = ()
    event_waits: tuple[EventWaitRow, ...] = ()
    ended_waits: tuple[tuple[str, str], ...] = ()


def segment_key(run_number: int, first_record: int) -> int:
    """Return a segment's primary key, which orders segments by run and then by place."""
    if not 0 < first_record < 1 << SEGMENT_BITS:
        raise ValueError("a run has at most 2**24 - 1 records")
    return run_number << SEGMENT_BITS | first_record


def checksum(key: int, body: bytes) -> int:
    """Return the CRC-32 of a segment, its place included."""
    return zlib.crc32(body, zlib.crc32(key.to_bytes(8, "big")))


class Statement:
    """An INSERT that takes many rows at once.

    One statement for many rows matters beside a busy event loop: each execution gives up the interpreter lock
    and has to wait for it again.
    """

    def __init__(self, head: str, width: int, tail: str = "") -> None:
        row = f"({','.join('?' * width)})"
        self._texts = {size: f"{head} VALUES {','.join([row] * size)} {tail}" for size in _CHUNKS}

    def run(self, connection: Link, rows: Sequence[tuple[Any, ...]]) -> None:
        """Insert the rows, in order."""
        start = 0
        for size in _CHUNKS:
            while len(rows) - start >= size:
                chunk = rows[start : start + size]
                connection.execute(self._texts[size], [value for row in chunk for value in row])
                start += size


_KEEP = "ON CONFLICT DO NOTHING"
_UPSERT = (
    "ON CONFLICT(number) DO UPDATE SET status=excluded.status, finished_at=excluded.finished_at,"
    " error=excluded.error, records=excluded.records, last_seq=excluded.last_seq, status_seq=excluded.status_seq,"
    " result=excluded.result, settled=excluded.settled"
)
_PUT_PARKED = (
    "INSERT INTO parked VALUES (?, ?, ?) ON CONFLICT (number) DO UPDATE SET id=excluded.id, due=excluded.due"
)
_PUT_WAIT = (
    "INSERT INTO event_wait VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (token) DO UPDATE SET run_id=excluded.run_id,"
    " node=excluded.node, wait_id=excluded.wait_id, event=excluded.event, correlation=excluded.correlation,"
    " due=excluded.due"
)


class Statements:
    """Every INSERT of the writer."""

    def __init__(self) -> None:
        self._run = Statement("INSERT INTO run", len(RunRow._fields), _UPSERT)
        self._segment = Statement("INSERT INTO segment", len(SegmentRow._fields))
        self._workflow = Statement("INSERT INTO workflow", len(WorkflowRow._fields), _KEEP)
        self._blob = Statement("INSERT INTO blob", 2, _KEEP)
        self._value = Statement("INSERT INTO value", 2, "ON CONFLICT (key) DO UPDATE SET body=excluded.body")
        self._replay = Statement("INSERT INTO replay (key, expires_ms)", 2, _KEEP)

    def insert(self, connection: Link, writes: Sequence[Write]) -> None:
        """Insert what the writes hold; the caller holds the transaction."""
        self._run.run(
            connection, list({write.run.number: write.run for write in writes if write.run}.values())
        )
        self._segment.run(connection, [write.segment for write in writes if write.segment])
        workflows = {write.workflow.hash: write.workflow for write in writes if write.workflow}
        self._workflow.run(connection, list(workflows.values()))
        self._blob.run(connection, [(blob.run, blob.name) for write in writes for blob in write.blobs])
        self._value.run(connection, list(dict(value for write in writes for value in write.values).items()))
        self._replay.run(connection, [entry for write in writes for entry in write.replay])
        for write in writes:  # in their order: one may undo what another did
            _insert_waits(connection, write)


def _insert_waits(connection: Link, write: Write) -> None:
    for number in write.unparked:
        connection.execute("DELETE FROM parked WHERE number = ?", (number,))
    if write.parked:
        connection.execute(_PUT_PARKED, write.parked)
    for run_id, node in write.ended_waits:
        connection.execute("DELETE FROM event_wait WHERE run_id = ? AND node = ?", (run_id, node))
    for row in write.event_waits:
        connection.execute(_PUT_WAIT, row)
