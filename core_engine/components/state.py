"""What components remember over runs and restarts: named values, lists of what was seen; each change exactly once."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, NamedTuple

import msgspec

from core_engine.components.records import MISSING
from core_engine.kernel.context import Context
from core_engine.storage import EngineStore
from core_engine.storage.link import Link
from shared.clock import Clock
from shared.errors import ErrorCode, FloworkError

Reach = Literal["workflow", "engine"]
MOST_VALUES = 20_000
MOST_BYTES = 64 * 1024
LONGEST_NAME = 200
MOST_MARKS = 100_000
REMEMBERED_MS = 30 * 86_400_000
"""How long the results of changes are kept: a step that is repeated later than that would change once more."""
_PATIENCE = 30.0
_TIDY_CHUNK = 200
_QUERY_CHUNK = 500
_PUT_VALUE = "INSERT INTO component_value VALUES (?, ?, ?) ON CONFLICT (scope, name) DO UPDATE SET body = excluded.body"
_PUT_SEEN = (
    "INSERT INTO component_seen VALUES (?, ?, ?, ?) ON CONFLICT (list, mark)"
    " DO UPDATE SET first_by = excluded.first_by, expires = excluded.expires"
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value is: whose it is (see `place_of`) and its name."""

    scope: str
    name: str


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of a value (`MISSING` deletes it), and the result that the step is told. Both are JSON values."""

    value: Any
    result: Any


Edit = Callable[[Any], Change]


class _Step(NamedTuple):
    """Who marks what was seen, when, for how long and how many at most."""

    key: bytes
    now: int
    keep_ms: int
    most: int


def place_of(context: Context, kind: str, reach: Reach, name: str) -> Place:
    """Return where a step's value of that name is; raises INVALID_REQUEST for a name that cannot be one.

    Kinds of components do not see each other's values. Reach ``workflow`` is for runs of the same workflow.
    """
    if not name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
        message = f"A name has 1 to {LONGEST_NAME} characters, without control characters."
        raise FloworkError(ErrorCode.INVALID_REQUEST, message)
    return Place(f"{kind} {context.workflow}" if reach == "workflow" else kind, name)


class ComponentState:
    """The state of components on the engine's database. Its methods block for the disk: not for the event loop.

    A change is committed together with the step's idempotency key and its result, so a step that is repeated
    after a crash or a failed attempt gets the first result and changes nothing.
    """

    def __init__(self, store: EngineStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def now_ms(self) -> int:
        """Return the engine's time."""
        return self._clock.now_ms()

    def get(self, place: Place) -> Any:
        """Return a value, `MISSING` where there is none."""
        sql = "SELECT body FROM component_value WHERE scope = ? AND name = ?"
        rows = self._store.archive.query(sql, (place.scope, place.name))
        return msgspec.json.decode(rows[0][0]) if rows else MISSING

    def change(self, place: Place, key: str, edit: Edit) -> Any:
        """Change a value by what it is (`MISSING`: nothing yet) and return the result.

        ``edit`` is called once at most, on the writer's thread, so it must be quick. Raises what it raises,
        TOO_LARGE for a value over 64 KiB or too many values, and errors of the storage.
        """
        job = partial(_change, place=place, key=key, edit=edit, now=self.now_ms())
        return self._perform(job)

    def unseen(self, place: Place, key: str, marks: Sequence[bytes], keep: tuple[int, int]) -> list[bool]:
        """Tell of each mark whether this step is the first to see it, and remember all that it is the first for.

        ``keep`` is for how many milliseconds they are remembered and how many the list holds: beyond that the
        ones that would be forgotten first are. Repeated with the same key the answer is the same.
        """
        if len(marks) > MOST_MARKS:
            raise FloworkError(ErrorCode.TOO_LARGE, f"More than {MOST_MARKS} items at once.")
        step = _Step(key.encode(), self.now_ms(), *keep)
        job = partial(_mark, place=place, marks=marks, step=step)
        return list(self._perform(job))

    def peek_unseen(self, place: Place, marks: Sequence[bytes]) -> list[bool]:
        """Answer as `unseen` does, but remember nothing."""
        known: set[bytes] = set()
        for start in range(0, len(marks), _QUERY_CHUNK):
            chunk = marks[start : start + _QUERY_CHUNK]
            holes = ",".join("?" * len(chunk))
            sql = f"SELECT mark FROM component_seen WHERE list = ? AND expires > ? AND mark IN ({holes})"  # noqa: S608 - only holes
            rows = self._store.archive.query(sql, (_list(place), self.now_ms(), *chunk))
            known.update(bytes(mark) for (mark,) in rows)
        return _first_times(marks, known)

    def _perform(self, job: Callable[[Link], Any]) -> Any:
        outcome = self._store.perform_blocking(partial(_safely, job=job), _PATIENCE)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


def _safely(connection: Link, *, job: Callable[[Link], Any]) -> Any:
    """Do the job in one transaction; what goes wrong in it, except the disk, is returned.

    The thread this runs on writes the journal of the whole engine: a component's mistake must not end it.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        result = job(connection)
    except (sqlite3.Error, OSError):
        raise
    except Exception as error:  # noqa: BLE001 - raised again on the step's thread
        connection.execute("ROLLBACK")
        return error
    connection.execute("COMMIT")
    return result


def _change(connection: Link, *, place: Place, key: str, edit: Edit, now: int) -> Any:
    known = connection.execute("SELECT body FROM component_effect WHERE key = ?", (key,)).fetchone()
    if known:
        return msgspec.json.decode(known[0])
    where = (place.scope, place.name)
    row = connection.execute(
        "SELECT body FROM component_value WHERE scope = ? AND name = ?", where
    ).fetchone()
    change = edit(msgspec.json.decode(row[0]) if row else MISSING)
    if change.value is MISSING:
        connection.execute("DELETE FROM component_value WHERE scope = ? AND name = ?", where)
    else:
        body = _encode(change.value)
        if not row:
            _refuse_too_many(connection)
        connection.execute(_PUT_VALUE, (*where, body))
    connection.execute("INSERT INTO component_effect VALUES (?, ?, ?)", (key, _encode(change.result), now))
    connection.execute(
        "DELETE FROM component_effect WHERE key IN"
        " (SELECT key FROM component_effect WHERE at < ? ORDER BY at LIMIT ?)",
        (now - REMEMBERED_MS, _TIDY_CHUNK),
    )
    return change.result


def _encode(value: Any) -> bytes:
    body = msgspec.json.encode(value)
    if len(body) > MOST_BYTES:
        message = f"A value of {len(body)} bytes is too large to be kept; {MOST_BYTES} are allowed."
        raise FloworkError(ErrorCode.TOO_LARGE, message)
    return body


def _refuse_too_many(connection: Link) -> None:
    (count,) = connection.execute("SELECT count(*) FROM component_value").fetchone()
    if count >= MOST_VALUES:
        raise FloworkError(
            ErrorCode.TOO_LARGE, f"The engine keeps {MOST_VALUES} values already; delete some."
        )


def _mark(connection: Link, *, place: Place, marks: Sequence[bytes], step: _Step) -> list[bool]:
    name, key, now = _list(place), step.key, step.now
    select = "SELECT first_by FROM component_seen WHERE list = ? AND mark = ? AND expires > ?"
    known = {
        mark
        for mark in set(marks)
        if (row := connection.execute(select, (name, mark, now)).fetchone()) and bytes(row[0]) != key
    }
    answer = _first_times(marks, known)
    rows = [(name, mark, key, now + step.keep_ms) for mark, first in zip(marks, answer, strict=True) if first]
    connection.executemany(_PUT_SEEN, rows)
    connection.execute("DELETE FROM component_seen WHERE list = ? AND expires <= ?", (name, now))
    (count,) = connection.execute("SELECT count(*) FROM component_seen WHERE list = ?", (name,)).fetchone()
    if count > step.most:
        connection.execute(
            "DELETE FROM component_seen WHERE list = ? AND mark IN"
            " (SELECT mark FROM component_seen WHERE list = ? ORDER BY expires LIMIT ?)",
            (name, name, count - step.most),
        )
    return answer


def _first_times(marks: Sequence[bytes], known: set[bytes]) -> list[bool]:
    """Tell of each mark whether it is neither known nor came before in the same list."""
    met = set(known)
    answer = []
    for mark in marks:
        answer.append(mark not in met)
        met.add(mark)
    return answer


def _list(place: Place) -> str:
    return f"{place.scope}\n{place.name}"
