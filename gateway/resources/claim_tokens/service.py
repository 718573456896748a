"""The claim of a token: the owner allows a request, the installation that made it fetches the token, once.

The token is made when it is fetched and stands nowhere but in that answer; until then the engine's old one works.
"""

from __future__ import annotations

import hashlib

from gateway.auth.engine_token import hash_token
from gateway.db import audit
from gateway.db.database import Database
from gateway.realtime.engine_links import EngineLinks
from gateway.resources.claim_tokens import queries
from gateway.resources.engines import queries as engines
from gateway.resources.engines.service import not_found
from shared.clock import Clock
from shared.contract.claim_token import ClaimedToken
from shared.errors import ErrorCode, FloworkError
from shared.ids import new_engine_token

LIFETIME_MS = 10 * 60 * 1000
MAX_WAITING = 20


class ClaimTokens:
    """The use cases of claiming a token; addresses are in lower case."""

    def __init__(self, database: Database, clock: Clock, links: EngineLinks) -> None:
        self._database = database
        self._clock = clock
        self._links = links

    def allow(self, owner: str, request_id: str, engine_id: str) -> None:
        """Let whoever made the request become an own engine, within ten minutes.

        Raises NOT_FOUND, or CONFLICT where the request was allowed before or too many wait.
        """
        now_ms = self._clock.now_ms()
        with self._database.write() as connection:
            row = engines.find(connection, engine_id)
            if row is None or row.owner_address != owner:
                raise not_found()
            queries.purge(connection, now_ms)
            if queries.count_of(connection, owner) >= MAX_WAITING:
                raise FloworkError(ErrorCode.CONFLICT, "Too many of your installations wait for their token.")
            if not queries.add(connection, _key(request_id), engine_id, owner, now_ms + LIFETIME_MS):
                raise FloworkError(ErrorCode.CONFLICT, "This request was allowed before.")
            audit.record(connection, owner, "token_allow", engine_id, now_ms)

    def fetch(self, request_id: str) -> ClaimedToken:
        """Make the token of an allowed request and return it this once; raises NOT_FOUND."""
        token, now_ms = new_engine_token(), self._clock.now_ms()
        with self._database.write() as connection:
            found = queries.take(connection, _key(request_id), now_ms)
            if found is None or not engines.set_token_hash(connection, *found, hash_token(token)):
                raise FloworkError(ErrorCode.NOT_FOUND, "Nobody has allowed this request yet.")
            engine_id, owner = found
            audit.record(connection, owner, "token_claim", engine_id, now_ms)
        self._links.close(engine_id)
        return ClaimedToken(token=token, engine_id=engine_id)


def _key(request_id: str) -> bytes:
    return hashlib.sha256(request_id.encode()).digest()
