"""The usage of a user as a series of days, and the folding of old counts."""

from __future__ import annotations

from collections import defaultdict

from sqlalchemy import Connection, delete, func, select

from gateway.billing.limits import DAY_MS, count, day_of
from gateway.billing.metering import ENGINE_DAYS, MESSAGES, RUNS, Key, Meter, store
from gateway.billing.subscriptions import Subscriptions
from gateway.db.billing_tables import usage_counts
from gateway.db.database import Database
from shared.clock import Clock
from shared.contract.billing import Usage, UsageDay, UsageItem

_FOLDED = "folded"
_MOST_FOLDED = 20_000


class UsageSeries:
    """Shows what was counted."""

    def __init__(self, database: Database, clock: Clock, meter: Meter, subscriptions: Subscriptions) -> None:
        self._database = database
        self._clock = clock
        self._meter = meter
        self._subscriptions = subscriptions

    def of(self, address: str, days: int) -> Usage:
        """Return the last days, today included, after writing down what this process has counted."""
        self._meter.flush()
        now_ms = self._clock.now_ms()
        names = [day_of(now_ms - back * DAY_MS) for back in range(days - 1, -1, -1)]
        with self._database.read() as connection:
            found = _by_day(connection, address, names[0])
            plan = self._subscriptions.plan_of(address, connection)
            used = {
                "engines": count(connection, address, "engines"),
                "shares": count(connection, address, "shares"),
            }
        series = [_day(name, found.get(name, {})) for name in names]
        used["relay_messages_per_day"] = series[-1].relay_messages
        return Usage(days=series, used=used, limits=plan.limits.shown())


def fold(connection: Connection, now_ms: int) -> None:
    """Put the counts of days that are over, one for each run and process, into one row a day and engine."""
    table = usage_counts.c
    before = day_of(now_ms - 2 * DAY_MS)
    names = (table.address, table.day, table.key, table.engine_id)
    wide = (
        select(*names)
        .where(table.day < before, table.key.in_((MESSAGES, RUNS)))
        .group_by(*names)
        .having(func.count() > 1)
        .limit(_MOST_FOLDED)
    )
    for row in connection.execute(wide).all():
        same = (
            table.address == row.address,
            table.day == row.day,
            table.key == row.key,
            table.engine_id == row.engine_id,
        )
        total = int(connection.execute(select(func.sum(table["count"])).where(*same)).scalar_one())
        connection.execute(delete(usage_counts).where(*same))
        store(connection, [(Key(row.address, row.day, row.key, row.engine_id, _FOLDED), total)])


def _by_day(connection: Connection, address: str, first: str) -> dict[str, dict[str, dict[str, int]]]:
    table = usage_counts.c
    query = (
        select(table.day, table.engine_id, table.key, func.sum(table["count"]).label("total"))
        .where(table.address == address, table.day >= first)
        .group_by(table.day, table.engine_id, table.key)
    )
    found: dict[str, dict[str, dict[str, int]]] = defaultdict(lambda: defaultdict(dict))
    for row in connection.execute(query):
        found[row.day][row.engine_id][row.key] = int(row.total)
    return found


def _day(name: str, engines: dict[str, dict[str, int]]) -> UsageDay:
    items = [
        UsageItem(
            engine_id=engine_id,
            relay_messages=counts.get(MESSAGES, 0),
            runs_started=counts.get(RUNS, 0),
            engine_days=counts.get(ENGINE_DAYS, 0),
        )
        for engine_id, counts in sorted(engines.items())
    ]
    return UsageDay(
        day=name,
        relay_messages=sum(item.relay_messages for item in items),
        runs_started=sum(item.runs_started for item in items),
        engine_days=sum(item.engine_days for item in items),
        engines=items,
    )
