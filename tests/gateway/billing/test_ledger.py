"""Paid time: never lost when plans are mixed, and as before after it is taken back."""

from __future__ import annotations

from gateway.billing import ledger
from gateway.billing.notices import Notices
from gateway.billing.plans import Plans
from gateway.db.database import Database
from shared.clock import ManualClock

ANNA = "0x" + "a" * 40
DAY = 24 * 60 * 60 * 1000


def buy(database: Database, plan: str, days: int, now_ms: int) -> None:
    with database.write() as connection:
        ledger.extend(
            connection, Plans.load(None), address=ANNA, plan=plan, length_ms=days * DAY, now_ms=now_ms
        )


def left(database: Database, now_ms: int) -> dict[str, float]:
    with database.read() as connection:
        return {plan: (end - now_ms) / DAY for plan, end in ledger.running(connection, ANNA, now_ms).items()}


def test_paid_days_add_up_in_any_order(database: Database) -> None:
    now = 1000 * DAY
    buy(database, "pro", 30, now)
    buy(database, "team", 10, now + 5 * DAY)
    assert left(database, now + 5 * DAY) == {"team": 10, "pro": 35}
    buy(database, "pro", 30, now + 6 * DAY)
    assert left(database, now + 6 * DAY) == {"team": 9, "pro": 64}
    buy(database, "team", 10, now + 40 * DAY)
    assert left(database, now + 40 * DAY) == {"team": 10, "pro": 40}


def test_taking_back_is_the_opposite_of_buying(database: Database) -> None:
    now = 1000 * DAY
    buy(database, "pro", 30, now)
    before = left(database, now)
    buy(database, "team", 10, now)
    with database.write() as connection:
        ledger.shorten(
            connection, Plans.load(None), address=ANNA, plan="team", length_ms=10 * DAY, now_ms=now
        )
    assert left(database, now) == before


def test_the_same_cause_is_entered_once(database: Database) -> None:
    entry = {"address": ANNA, "chain_id": 1, "asset": "ETH", "reason": "r", "source": "s", "now_ms": 5}
    with database.write() as connection:
        assert ledger.add_credit(connection, amount=7, **entry)
        assert not ledger.add_credit(connection, amount=7, **entry)
        assert ledger.balances(connection, ANNA) == {(1, "ETH"): 7}


def test_reminders_come_once_each(database: Database, clock: ManualClock) -> None:
    notices = Notices(database, clock, Plans.load(None))
    buy(database, "pro", 30, clock.now_ms())
    told = []
    for _ in range(33):
        for _ in range(2):
            notices.remind()
        told.append(len(notices.of(ANNA)))
        clock.advance(DAY / 1000)
    assert (told[22], told[23], told[29], told[30], told[32]) == (0, 1, 2, 3, 3)
    kinds = [item.kind for item in notices.of(ANNA)]
    assert kinds == ["expiry-ended", "expiry-1d", "expiry-7d"]
    assert "flowork billing checkout pro" in notices.of(ANNA)[0].message
