"""Visitors of share links: which engine and workflow a token leads to, as long as its owner lets it (protocol §1.3)."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.db.database import Database
from gateway.resources.workflow_shares import queries
from shared.clock import Clock
from shared.contract.share_link import RelayShare, ShareLevel
from shared.errors import ErrorCode, FloworkError
from shared.signing.link_grants import hash_link_token

MAX_TOKEN = 100


@dataclass(frozen=True, slots=True)
class Visit:
    """Where a token leads; ``share`` goes with each command, because the engine judges for itself."""

    engine_id: str
    preset: str
    level: ShareLevel
    share: RelayShare


class ShareVisits:
    """Looks links up at each command, so that one that was ended is ended at once."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def find(self, token: str) -> Visit:
        """Return where a token leads; raises NOT_FOUND, or FORBIDDEN where the owner has not signed the link yet."""
        row = self._row(token)
        if row is None:
            raise FloworkError(ErrorCode.NOT_FOUND, "There is no such share link, or it has expired.")
        if row.signed_text is None or row.signature is None:
            raise FloworkError(ErrorCode.FORBIDDEN, "The owner of this share link has not signed it yet.")
        share = RelayShare(token=token, text=row.signed_text, signature=row.signature)
        return Visit(row.engine_id, row.preset, ShareLevel(row.level), share)

    def leads_to(self, token: str, engine_id: str) -> bool:
        """Tell whether a token still opens something on an engine."""
        row = self._row(token)
        return row is not None and row.engine_id == engine_id and row.signature is not None

    def _row(self, token: str) -> queries.LinkRow | None:
        if len(token) > MAX_TOKEN:
            return None
        row = queries.find_by_token_hash(self._database, hash_link_token(token))
        expired = row is not None and row.expires_ms is not None and row.expires_ms <= self._clock.now_ms()
        return None if expired else row
