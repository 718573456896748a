"""Counts what users do, in memory, and writes it down in batches; writing a batch twice changes nothing."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy import Connection, func, select

from gateway.billing.limits import DAY_MS, Limits, day_of
from gateway.db.billing_tables import usage_counts
from gateway.db.database import Database
from gateway.db.tables import engines
from gateway.db.upsert import insert_on_conflict
from shared.clock import Clock
from shared.ids import new_id

MESSAGES = "relay_messages"
RUNS = "runs_started"
ENGINE_DAYS = "engine_days"
MOST_WAITING = 5000
LIMIT_SECONDS = 30.0
_BATCH = 200


@dataclass(frozen=True, slots=True)
class Key:
    """What is counted; ``source`` is who counts, or the thing itself where it must be counted once."""

    address: str
    day: str
    key: str
    engine_id: str
    source: str


@dataclass(slots=True)
class _Today:
    """What an address has used of its day, which ends at ``ends_ms``; ``keys`` are those of its engines."""

    day: str
    ends_ms: int
    elsewhere: int
    allowed: int | None
    read_at: float
    here: int = 0
    keys: dict[str, Key] = field(default_factory=dict)


class Meter:
    """The counters of one process. Each writes its own total of the day, others add theirs beside it."""

    def __init__(self, database: Database, clock: Clock, limits: Limits) -> None:
        self._database = database
        self._clock = clock
        self._limits = limits
        self._source = new_id()
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._counts: dict[Key, int] = {}
        self._waiting: set[Key] = set()
        self._today: dict[str, _Today] = {}

    def admit_message(self, address: str, engine_id: str) -> None:
        """Count a message over the relay; raises RATE_LIMITED where the plan allows no more today."""
        today = self._known(address, self._clock.now_ms())
        with self._lock:
            used = today.elsewhere + today.here
            refused = today.allowed is not None and used >= today.allowed
            if not refused:
                today.here += 1
                key = today.keys.get(engine_id)
                if key is None:
                    key = Key(address, today.day, MESSAGES, engine_id, self._source)
                    today.keys[engine_id] = key
                self._counts[key] = self._counts.get(key, 0) + 1
                self._waiting.add(key)
        if refused:
            self._limits.check_messages(address, used)
        self._relieve()

    def note_run(self, address: str, engine_id: str, job_id: str | None) -> None:
        """Count a started run; one with an id counts once however often it is told."""
        source = f"run:{job_id}"[:80] if job_id else self._source
        key = Key(address, day_of(self._clock.now_ms()), RUNS, engine_id, source)
        with self._lock:
            self._counts[key] = 1 if job_id else self._counts.get(key, 0) + 1
            self._waiting.add(key)
        self._relieve()

    def flush(self) -> None:
        """Write down what is waiting; what cannot be written waits for the next time."""
        with self._writing:
            with self._lock:
                batch = {key: self._counts[key] for key in self._waiting}
                self._waiting.clear()
            try:
                with self._database.write() as connection:
                    store(connection, batch.items())
            except BaseException:
                with self._lock:
                    self._waiting |= batch.keys()
                raise
        self._forget()

    def forget(self, address: str) -> None:
        """Drop what this process has counted of an address."""
        with self._lock:
            for key in [key for key in self._counts if key.address == address]:
                del self._counts[key]
                self._waiting.discard(key)
            self._today.pop(address, None)

    def note_engine_days(self) -> None:
        """Count a day for every owned engine that was heard of today."""
        now_ms = self._clock.now_ms()
        day = day_of(now_ms)
        with self._database.write() as connection:
            seen = select(engines.c.id, engines.c.owner_address).where(
                engines.c.owner_address.is_not(None), engines.c.last_seen_ms >= now_ms - now_ms % 86_400_000
            )
            rows = connection.execute(seen).all()
            store(connection, ((Key(row.owner_address, day, ENGINE_DAYS, row.id, row.id), 1) for row in rows))

    def _known(self, address: str, now_ms: int) -> _Today:
        now = self._clock.monotonic()
        with self._lock:
            today = self._today.get(address)
        if today is not None and now_ms < today.ends_ms and now - today.read_at < LIMIT_SECONDS:
            return today
        day = day_of(now_ms)
        with self._database.read() as connection:
            elsewhere = messages_on(connection, address, day, self._source)
        allowed = self._limits.messages_per_day(address)
        with self._lock:
            here = sum(
                count
                for key, count in self._counts.items()
                if key.address == address and key.day == day and key.key == MESSAGES
            )
            fresh = _Today(day, now_ms - now_ms % DAY_MS + DAY_MS, elsewhere, allowed, now, here)
            self._today[address] = fresh
        return fresh

    def _relieve(self) -> None:
        if len(self._waiting) >= MOST_WAITING:
            self.flush()

    def _forget(self) -> None:
        """Drop what is written and not needed any more: other days, runs, and users who are silent."""
        day, now = day_of(self._clock.now_ms()), self._clock.monotonic()
        with self._lock:
            for key in [k for k in self._counts if k not in self._waiting]:
                if key.day != day or key.source != self._source:
                    del self._counts[key]
            for address, today in list(self._today.items()):
                if now - today.read_at > LIMIT_SECONDS:
                    del self._today[address]


def store(connection: Connection, counts: Iterable[tuple[Key, int]]) -> None:
    """Write totals; one that is smaller than what stands there already changes nothing."""
    rows = [
        {
            "address": key.address,
            "day": key.day,
            "key": key.key,
            "engine_id": key.engine_id,
            "source": key.source,
            "count": count,
        }
        for key, count in counts
    ]
    insert = insert_on_conflict(connection.dialect.name, usage_counts)
    for start in range(0, len(rows), _BATCH):
        query = insert.values(rows[start : start + _BATCH])
        fresh = query.excluded["count"]
        query = query.on_conflict_do_update(
            index_elements=list(usage_counts.primary_key.columns),
            set_={"count": fresh},
            where=fresh > usage_counts.c["count"],
        )
        connection.execute(query)


def messages_on(connection: Connection, address: str, day: str, without: str = "") -> int:
    """Return how many messages were counted on a day, but for those of one source."""
    table = usage_counts.c
    query = select(func.coalesce(func.sum(table["count"]), 0)).where(
        table.address == address, table.day == day, table.key == MESSAGES, table.source != without
    )
    return int(connection.execute(query).scalar_one())
