"""Rows, checksums and statements for many rows."""

from __future__ import annotations

import sqlite3

import pytest

from core_engine.storage.rows import SegmentRow, Statement, checksum, segment_key


def test_segments_sort_by_run_and_place():
    keys = [segment_key(run, first) for run in (1, 2, 300) for first in (1, 2, 2**24 - 1)]
    assert keys == sorted(set(keys))


@pytest.mark.parametrize("place", [0, -1, 2**24])
def test_a_place_outside_a_run_is_refused(place: int):
    with pytest.raises(ValueError, match="records"):
        segment_key(1, place)


def test_the_checksum_covers_the_body_and_the_place():
    row = SegmentRow.of(7, 3, b"body")
    assert row.crc == checksum(row.key, b"body")
    assert row.crc != checksum(row.key, b"bodY")
    assert row.crc != checksum(segment_key(7, 4), b"body")


@pytest.mark.parametrize("count", [0, 1, 2, 3, 127, 128, 129, 300])
def test_any_number_of_rows_is_inserted_once_and_in_order(count: int):
    link = sqlite3.connect(":memory:")
    link.execute("CREATE TABLE t (a INTEGER, b TEXT)")
    rows = [(number, str(number)) for number in range(count)]
    Statement("INSERT INTO t", 2).run(link, rows)
    assert link.execute("SELECT a, b FROM t ORDER BY rowid").fetchall() == rows
    link.close()


@pytest.mark.parametrize(
    ("count", "statements"), [(1, 1), (7, 1), (13, 1), (16, 1), (24, 1), (37, 2), (300, 4)]
)
def test_few_statements_insert_many_rows(count: int, statements: int):
    link = sqlite3.connect(":memory:", isolation_level=None)
    link.execute("CREATE TABLE t (a INTEGER)")
    seen: list[str] = []
    link.set_trace_callback(seen.append)
    Statement("INSERT INTO t", 1).run(link, [(number,) for number in range(count)])
    assert len(seen) == statements
    link.close()
