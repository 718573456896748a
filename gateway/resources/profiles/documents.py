"""What pages keep for their user: favourites, widgets and preferences, bounded in size."""

from __future__ import annotations

import json
from typing import Any

from gateway.db.database import Database
from gateway.resources.profiles import queries
from shared.clock import Clock
from shared.contract.profile import LARGEST_DOCUMENT
from shared.errors import ErrorCode, FloworkError

PREFERENCES = "preferences"


class Documents:
    """The documents of users; addresses are in lower case."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def get(self, address: str, kind: str) -> Any:
        """Return a document, None where there is none."""
        with self._database.read() as connection:
            body = queries.document(connection, address, kind)
        return None if body is None else json.loads(body)

    def put(self, address: str, kind: str, value: Any) -> None:
        """Replace a document; raises TOO_LARGE."""
        body = _written(value)
        with self._database.write() as connection:
            queries.put_document(connection, address, kind, body, self._clock.now_ms())

    def merge_preferences(self, address: str, given: dict[str, Any]) -> dict[str, Any]:
        """Merge members into the preferences and return them all; raises TOO_LARGE."""
        with self._database.write() as connection:
            known = json.loads(queries.document(connection, address, PREFERENCES, to_change=True) or "{}")
            merged: dict[str, Any] = known | given
            queries.put_document(connection, address, PREFERENCES, _written(merged), self._clock.now_ms())
        return merged


def _written(value: Any) -> str:
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    if len(body.encode()) > LARGEST_DOCUMENT:
        raise FloworkError(ErrorCode.TOO_LARGE, f"At most {LARGEST_DOCUMENT // 1024} KiB are kept of this.")
    return body
