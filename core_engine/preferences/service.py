"""Reads and saves the preferences: one object, merged at every save."""

from __future__ import annotations

import asyncio
from typing import Any, Protocol

import msgspec
from pydantic import ValidationError

from core_engine.preferences.known import DEFAULTS, KnownPreferences
from shared.errors import ErrorCode, FloworkError

LARGEST = 256 * 1024
MOST_PROBLEMS = 50
_KEY = "preferences"


class Values(Protocol):
    """The small values of the engine's storage."""

    def get(self, key: str) -> bytes | None:
        """Return a value."""
        ...

    async def put(self, key: str, value: bytes) -> None:
        """Store a value; synced on return."""
        ...


class PreferenceService:
    """The preferences of an engine."""

    def __init__(self, values: Values) -> None:
        self._values = values
        self._saving = asyncio.Lock()

    def all(self) -> dict[str, Any]:
        """Return every preference; raises JOURNAL_CORRUPT when what is stored is unreadable."""
        return DEFAULTS | self._stored()

    async def save(self, changes: dict[str, Any]) -> None:
        """Merge changes into the stored preferences; synced on return.

        Raises INVALID_REQUEST naming each known member of a wrong type, and TOO_LARGE.
        """
        try:
            KnownPreferences.model_validate(changes)
        except ValidationError as error:
            raise _refusal(error) from error
        async with self._saving:
            body = msgspec.json.encode(self._stored() | changes)
            if len(body) > LARGEST:
                message = f"The preferences would be larger than {LARGEST // 1024} KiB."
                raise FloworkError(ErrorCode.TOO_LARGE, message)
            await self._values.put(_KEY, body)

    def _stored(self) -> dict[str, Any]:
        body = self._values.get(_KEY)
        if body is None:
            return {}
        try:
            return msgspec.json.decode(body, type=dict[str, Any])
        except (msgspec.DecodeError, UnicodeError) as error:
            message = f"The stored preferences are unreadable: {error}"
            raise FloworkError(ErrorCode.JOURNAL_CORRUPT, message) from error


def _refusal(error: ValidationError) -> FloworkError:
    items = error.errors(include_url=False, include_input=False, include_context=False)
    fields: dict[str, str] = {}
    for item in items[:MOST_PROBLEMS]:
        fields.setdefault(
            f"settings.{item['loc'][0]}", item["msg"]
        )  # of a union's members, the first says it
    problems = [{"field": field, "problem": problem} for field, problem in fields.items()]
    first = problems[0]
    return FloworkError(
        ErrorCode.INVALID_REQUEST, f"save_settings: {first['field']}: {first['problem']}.", details=problems
    )
