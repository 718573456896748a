"""Z8: a journal that anything happened to is read as it was written, or refused naming the place."""

from __future__ import annotations

import sqlite3

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core_engine.storage.reader import Reader
from core_engine.storage.rows import SegmentRow
from core_engine.storage.schema import prepare
from core_engine.workflow.journal import decode_segments, encode_segment
from shared.errors import ErrorCode, FloworkError
from tests.core_engine.workflow.test_journal import RECORDS

SEGMENTS = [
    (1, encode_segment(RECORDS[:6])),
    (7, encode_segment(RECORDS[6:20])),
    (21, encode_segment(RECORDS[20:])),
]
BODIES = [SegmentRow.of(1, first, body) for first, body in SEGMENTS]


def mutated(body: bytes, cuts: list[tuple[int, int, bytes]]) -> bytes:
    for place, length, new in cuts:
        at = place % (len(body) + 1)
        body = body[:at] + new + body[at + length :]
    return body


CUTS = st.lists(
    st.tuples(st.integers(0, 10_000), st.integers(0, 4), st.binary(max_size=4)), min_size=1, max_size=3
)


@settings(max_examples=400)
@given(st.integers(0, 2), CUTS)
def test_z8_a_changed_segment_is_whole_or_refused(which: int, cuts: list[tuple[int, int, bytes]]) -> None:
    segments = list(SEGMENTS)
    first, body = segments[which]
    segments[which] = (first, mutated(body, cuts))
    try:
        records = decode_segments(segments, "run-1", len(RECORDS))
    except FloworkError as error:
        told = (error.code, "run-1" in error.message)
    else:
        told = (ErrorCode.JOURNAL_CORRUPT, len(records) == len(RECORDS))
    assert told == (ErrorCode.JOURNAL_CORRUPT, True)


@settings(max_examples=200)
@given(st.permutations(SEGMENTS), st.sets(st.integers(0, 2)), st.integers(0, 40))
def test_z8_missing_and_misplaced_segments_are_noticed(
    order: list, left_out: set[int], expected: int
) -> None:
    segments = [part for number, part in enumerate(order) if number not in left_out]
    if (
        segments == SEGMENTS[: len(segments)]
        and expected == (0, 6, 20, len(RECORDS))[len(segments)]
        and segments
    ):
        return  # that is how an earlier moment of the same journal looks
    with pytest.raises(FloworkError) as refused:
        decode_segments(segments, "run-1", expected)
    assert refused.value.code is ErrorCode.JOURNAL_CORRUPT


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> tuple[sqlite3.Connection, Reader]:
    connection = prepare(tmp_path_factory.mktemp("journal") / "engine.db")
    columns = "number,id,started_by,mode,status,started_at,workflow,records,last_seq,status_seq"
    connection.execute(f"INSERT INTO run ({columns}) VALUES (1,'run-1','0x','EXECUTE','RUNNING',1,'h',1,1,1)")
    connection.execute("INSERT INTO workflow VALUES ('h', ?)", (b"{}",))
    return connection, Reader(connection)


@settings(max_examples=150)
@given(which=st.integers(0, 2), cuts=CUTS, crc=st.integers(-2, 2))
def test_z8_no_change_on_the_disk_gets_past_the_checksum(
    stored: tuple[sqlite3.Connection, Reader], which: int, cuts: list[tuple[int, int, bytes]], crc: int
) -> None:
    connection, reader = stored
    rows = list(BODIES)
    row = rows[which]
    rows[which] = row._replace(body=mutated(row.body, cuts), crc=row.crc + crc)
    connection.execute("DELETE FROM segment")
    connection.executemany("INSERT INTO segment VALUES (?, ?, ?)", rows)
    if rows == BODIES:
        assert reader.journal("run-1")
        return
    with pytest.raises(FloworkError) as refused:
        reader.journal("run-1")
    assert refused.value.code is ErrorCode.JOURNAL_CORRUPT
