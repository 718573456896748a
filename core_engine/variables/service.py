"""The variables: kept, listed without secrets, and handed to the expressions of workflows (protocol §5.5, §7.3)."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from core_engine.storage.variables import VariableRow, VariableTable
from core_engine.variables.cipher import ValueCipher
from core_engine.variables.hiding import hidden_texts
from core_engine.workflow import Variable
from shared.contract.variable import Variable as ListedVariable
from shared.contract.variable import VariableData, VariableMode
from shared.errors import ErrorCode, FloworkError

PLACEHOLDER = "CHANGE THIS API"
MOST_VARIABLES = 1000
MOST_VALUES = 1000
LARGEST_VALUE = 64 * 1024
MOST_FORMER = 10
"""Earlier values of a secret that are still masked: the journals of old runs hold them."""

_log = logging.getLogger(__name__)


class Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """A variable as it is stored: either ``value``, or ``sealed`` where it is secret.

    ``former`` are the secret values it had before, sealed too, newest first; they are used for nothing but masking.
    """

    mode: VariableMode
    is_enabled: bool
    value: Any = None
    sealed: str | None = None
    former: tuple[str, ...] = ()

    @property
    def secret(self) -> bool:
        """Whether the value is encrypted."""
        return self.sealed is not None


_ENCODE = msgspec.json.Encoder().encode
_DECODE = msgspec.json.Decoder(Entry).decode


class VariableService:
    """The variables of the engine's owner; the `Variables` of the workflows. Used on the event loop only.

    Every change is synced before the call returns. `secrets` alone may be called from any thread.
    """

    def __init__(
        self, table: VariableTable, cipher: ValueCipher, owner: Callable[[], str | None], rng: random.Random
    ) -> None:
        self._table = table
        self._cipher = cipher
        self._owner = owner
        self._rng = rng
        self._entries = _read(table)
        self._turns: dict[tuple[str, str], int] = {}
        self._changing = asyncio.Lock()
        self._hidden: tuple[str, ...] = ()
        self._others: tuple[str, ...] = ()
        self._hide()

    def get(self, name: str, owner: str) -> Variable | None:  # noqa: ARG002 - whoever runs it, they are the engine's
        """Return an enabled variable, or None; raises JOURNAL_CORRUPT for a secret that cannot be decrypted."""
        key = (self._owner_key(), name)
        entry = self._entries.get(key)
        if entry is None or not entry.is_enabled:
            return None
        value = self._value(key, entry)
        if entry.mode != "single" and isinstance(value, list) and value:
            value = (
                self._rng.choice(value) if entry.mode == "random" else value[self._next_turn(key, len(value))]
            )
        return Variable(value, secret=entry.secret)

    def secrets(self) -> tuple[str, ...]:
        """Return the texts that must not be shown anywhere."""
        return self._hidden

    def hide_also(self, texts: Iterable[str]) -> None:
        """Take secret texts that are no variable's, in place of those given before."""
        self._others = tuple(texts)
        self._hide()

    def listing(self) -> list[ListedVariable]:
        """Return the variables by name; the value of a secret is the empty text."""
        owner = self._owner_key()
        return [
            ListedVariable(
                name=name,
                value="" if entry.secret else entry.value,
                is_secret=entry.secret,
                is_enabled=entry.is_enabled,
                mode=entry.mode,
            )
            for (of, name), entry in sorted(self._entries.items())
            if of == owner
        ]

    async def update(self, name: str, data: VariableData) -> None:
        """Create or change a variable; an empty value, or the placeholder of some clients, keeps the present one.

        Raises INVALID_REQUEST naming the wrong field.
        """
        async with self._changing:
            key = (self._owner_key(), name)
            entry = self._changed(key, data)
            if entry is None:
                return
            await self._table.put(VariableRow(*key, _ENCODE(entry)))
            self._entries[key] = entry
            self._hide()

    async def delete(self, name: str) -> None:
        """Delete a variable; raises NOT_FOUND."""
        async with self._changing:
            key = (self._owner_key(), name)
            if key not in self._entries:
                raise FloworkError(ErrorCode.NOT_FOUND, f"There is no variable {name}.")
            await self._table.delete(*key)
            self._turns.pop(key, None)
            self._table.note_turn(*key, 0)
            del self._entries[key]
            self._hide()

    def _changed(self, key: tuple[str, str], data: VariableData) -> Entry | None:
        """Return the variable as it shall be, or None where there is nothing to do."""
        present, value = self._entries.get(key), _unwrapped(data.value)
        if value == PLACEHOLDER and present is None:
            return None
        if present and (value == PLACEHOLDER or (present.secret and _is_empty(value))):
            if present.secret and not data.is_secret:
                raise _wrong("is_secret", "A secret becomes readable only together with a new value.")
            # What is kept is kept whole: clients that cannot show a secret do not know its mode either.
            return msgspec.structs.replace(present, is_enabled=data.is_enabled)
        _check(value, data, first=present is None)
        if present is None and len(self._entries) >= MOST_VARIABLES:
            raise FloworkError(ErrorCode.CONFLICT, f"There are {MOST_VARIABLES} variables already.")
        former = _former(present)
        if data.is_secret:
            return Entry(data.mode, data.is_enabled, sealed=self._cipher.seal(value, *key), former=former)
        return Entry(data.mode, data.is_enabled, value=value, former=former)

    def _value(self, key: tuple[str, str], entry: Entry) -> Any:
        return entry.value if entry.sealed is None else self._cipher.open(entry.sealed, *key)

    def _next_turn(self, key: tuple[str, str], count: int) -> int:
        turn = self._turns.get(key)
        if turn is None:
            turn = self._table.turn(*key)
        self._turns[key] = turn + 1
        self._table.note_turn(*key, turn + 1)  # synced before any record of the step that gets the value
        return turn % count

    def _owner_key(self) -> str:
        return (self._owner() or "").lower()

    def _hide(self) -> None:
        values: list[Any] = [*self._others]
        for key, entry in self._entries.items():
            for sealed in (entry.sealed, *entry.former):
                if sealed is None:
                    continue
                try:
                    values.append(self._cipher.open(sealed, *key))
                except FloworkError as error:
                    _log.error("a secret variable cannot be used", extra={"reason": error.message})
        self._hidden = hidden_texts(values)


def _former(present: Entry | None) -> tuple[str, ...]:
    """Return the secret values that a variable has had once it has another one."""
    if present is None:
        return ()
    had = present.former if present.sealed is None else (present.sealed, *present.former)
    return had[:MOST_FORMER]


def _read(table: VariableTable) -> dict[tuple[str, str], Entry]:
    entries = {}
    for row in table.all():
        try:
            entries[row.owner, row.name] = _DECODE(row.body)
        except (msgspec.DecodeError, UnicodeError) as error:
            _log.error("a variable is unreadable", extra={"variable": row.name, "reason": str(error)})
    return entries


def _unwrapped(value: Any) -> Any:
    """Return what a client means that sends ``{"type": "static", "value": …}``."""
    if isinstance(value, dict) and value.get("type") == "static" and value.keys() == {"type", "value"}:
        return value["value"]
    return value


def _is_empty(value: Any) -> bool:
    return value in (None, "", [])


def _check(value: Any, data: VariableData, *, first: bool) -> None:
    if data.is_secret and _is_empty(value):
        raise _wrong("value", "A new secret needs a value." if first else "A secret needs a value.")
    if len(_ENCODE(value)) > LARGEST_VALUE:
        raise _wrong("value", f"It must not be larger than {LARGEST_VALUE // 1024} KiB.")
    if data.mode != "single" and not (isinstance(value, list) and 0 < len(value) <= MOST_VALUES):
        raise _wrong("value", f"The mode {data.mode} needs a list of 1 to {MOST_VALUES} values.")


def _wrong(field: str, problem: str) -> FloworkError:
    return FloworkError(
        ErrorCode.INVALID_REQUEST,
        f"update_variable: data.{field}: {problem}",
        details=[{"field": f"data.{field}", "problem": problem}],
    )
