"""Engine tokens: kept as SHA-256 only, found by one indexed look-up, compared in constant time."""

from __future__ import annotations

import hashlib
import hmac

from gateway.db.database import Database
from gateway.resources.engines import queries
from gateway.resources.engines.queries import EngineRow
from shared.errors import ErrorCode, FloworkError

REFUSAL = "Invalid engine_id or token"


def hash_token(token: str) -> str:
    """Return the hex SHA-256 under which a token is stored; a token has 128 random bits, so that is enough."""
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()


class EngineTokens:
    """Tells which engine presents a token."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def authenticate(self, engine_id: str, token: str) -> EngineRow:
        """Return the engine of that id and token; raises UNAUTHENTICATED, the same for either being wrong."""
        row = queries.find_by_token_hash(self._database, hash_token(token))
        if row is None or not hmac.compare_digest(row.id.encode(), engine_id.encode(errors="replace")):
            raise FloworkError(ErrorCode.UNAUTHENTICATED, REFUSAL)
        return row

    def is_current(self, row: EngineRow) -> bool:
        """Tell whether an engine that was authenticated still exists and still has the same token."""
        present = queries.find(self._database, row.id)
        return present is not None and hmac.compare_digest(present.token_hash, row.token_hash)
