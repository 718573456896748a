"""Metering: written in batches, twice without harm, by several processes, folded without loss."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.billing.service import Billing
from gateway.billing.usage import fold
from gateway.db.database import Database
from gateway.resources.engines import queries
from shared.clock import ManualClock
from tests.gateway.support import settings

ANNA, BEN = "0x" + "a" * 40, "0x" + "b" * 40
DAY = 24 * 60 * 60


def process(database: Database, clock: ManualClock, folder: Path) -> Billing:
    return Billing.open(settings(folder).billing, database, clock)


def totals(billing: Billing, address: str, days: int = 1) -> list[tuple[int, int, int]]:
    series = billing.usage.of(address, days).days
    return [(day.relay_messages, day.runs_started, day.engine_days) for day in series]


def test_writing_twice_changes_nothing(database: Database, clock: ManualClock, tmp_path: Path) -> None:
    billing = process(database, clock, tmp_path)
    for _ in range(3):
        billing.meter.admit_message(ANNA, "e1")
    billing.meter.flush()
    billing.meter._waiting |= billing.meter._counts.keys()  # as after a commit whose answer was lost
    billing.meter.flush()
    billing.meter.admit_message(ANNA, "e2")
    assert totals(billing, ANNA) == [(4, 0, 0)]
    assert [item.engine_id for item in billing.usage.of(ANNA, 1).days[0].engines] == ["e1", "e2"]
    assert totals(billing, BEN) == [(0, 0, 0)]


def test_processes_add_up_and_a_run_counts_once(
    database: Database, clock: ManualClock, tmp_path: Path
) -> None:
    one, other = process(database, clock, tmp_path), process(database, clock, tmp_path)
    for billing in (one, other, one):
        billing.meter.admit_message(ANNA, "e1")
        billing.meter.note_run(ANNA, "e1", "job-1")
        billing.meter.note_run(ANNA, "e1", None)
    other.meter.flush()
    assert totals(one, ANNA) == [(3, 4, 0)]


def test_what_cannot_be_written_is_written_later(
    database: Database, clock: ManualClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    billing = process(database, clock, tmp_path)
    billing.meter.admit_message(ANNA, "e1")

    def broken(*_: object) -> None:
        raise OSError

    with monkeypatch.context() as patched:
        patched.setattr("gateway.billing.metering.store", broken)
        with pytest.raises(OSError):
            billing.meter.flush()
    assert totals(billing, ANNA) == [(1, 0, 0)]


def test_days_with_engines_and_folding(database: Database, clock: ManualClock, tmp_path: Path) -> None:
    billing = process(database, clock, tmp_path)
    with database.write() as connection:
        queries.add(connection, engine_id="e1", owner=ANNA, name="E", token_hash="h", now_ms=clock.now_ms())
    for day in range(4):
        with database.write() as connection:
            queries.touch(connection, {"e1": clock.now_ms()})
        for _ in range(2):
            billing.meter.note_engine_days()
        for run in range(day):
            billing.meter.note_run(ANNA, "e1", f"job-{day}-{run}")
        billing.meter.flush()
        clock.advance(DAY)
    before = totals(billing, ANNA, 5)
    assert before == [(0, 0, 1), (0, 1, 1), (0, 2, 1), (0, 3, 1), (0, 0, 0)]
    rows = "SELECT count(*) FROM usage_counts"
    with database.write() as connection:
        unfolded = connection.exec_driver_sql(rows).scalar_one()
        fold(connection, clock.now_ms() + 2 * DAY * 1000)
        fold(connection, clock.now_ms() + 2 * DAY * 1000)
        assert connection.exec_driver_sql(rows).scalar_one() == unfolded - 3
    assert totals(billing, ANNA, 5) == before


def test_a_new_day_begins_at_zero(database: Database, clock: ManualClock, tmp_path: Path) -> None:
    billing = process(database, clock, tmp_path)
    billing.meter.admit_message(ANNA, "e1")
    clock.advance(DAY)
    billing.meter.admit_message(ANNA, "e1")
    billing.meter.admit_message(ANNA, "e1")
    assert totals(billing, ANNA, 2) == [(1, 0, 0), (2, 0, 0)]
    clock.advance(DAY)
    billing.meter.flush()
    assert billing.meter._counts == {}
    assert billing.meter._today == {}
