"""Claiming a bundled engine: the gateway carries the proof, the engine alone judges it and pins its owner first."""

from __future__ import annotations

import logging

from gateway.db import audit
from gateway.db.database import Database
from gateway.realtime.engine_links import EngineLinks
from gateway.realtime.gui_channel import GuiChannel
from gateway.realtime.presence import Presence
from gateway.resources.accounts.service import register
from gateway.resources.engines import queries
from gateway.resources.engines.claim_limits import ClaimLimits
from gateway.resources.engines.queries import EngineRow
from gateway.resources.engines.service import not_found
from shared.clock import Clock
from shared.contract.engine import ClaimedEngine
from shared.errors import ErrorCode, FloworkError
from shared.signing.keys import checksum_address

_log = logging.getLogger(__name__)


class Claims:
    """The use case of claiming an engine."""

    def __init__(
        self, database: Database, clock: Clock, presence: Presence, links: EngineLinks, gui: GuiChannel
    ) -> None:
        self._database = database
        self._clock = clock
        self._presence = presence
        self._links = links
        self._gui = gui
        self._limits = ClaimLimits(clock)

    def claim(self, address: str, engine_id: str, proof: str) -> ClaimedEngine:
        """Ask the engine whether the proof holds, and record its owner if so.

        Raises NOT_FOUND, CONFLICT (already the caller's), ENGINE_UNAVAILABLE, RATE_LIMITED or FORBIDDEN.
        """
        row = self._claimable(address, engine_id)
        with self._limits.attempt(engine_id):
            verdict = self._links.ask_claim(engine_id, checksum_address(address), proof)
        if not verdict.accepted:
            _log.warning("an engine refused a claim", extra={"engine_id": engine_id, "address": address})
            with self._database.write() as connection:
                audit.record(connection, address, "engine_claim_refused", engine_id, self._clock.now_ms())
            raise FloworkError(
                ErrorCode.FORBIDDEN,
                "The engine refused the claim: the link is wrong, was used before, or the engine has an owner.",
            )
        register(self._database, self._clock, address)
        with self._database.write() as connection:
            if not queries.set_first_owner(connection, engine_id, address):
                raise FloworkError(ErrorCode.CONFLICT, "The engine was claimed or deleted in the meantime.")
            audit.record(connection, address, "engine_claim", engine_id, self._clock.now_ms())
        return self._announce(row, address)

    def _claimable(self, address: str, engine_id: str) -> EngineRow:
        row = queries.find(self._database, engine_id)
        if row is None or row.owner_address not in {None, address}:
            raise not_found()
        if row.owner_address is not None:
            raise FloworkError(ErrorCode.CONFLICT, "The engine is yours already.")
        return row

    def _announce(self, row: EngineRow, address: str) -> ClaimedEngine:
        status = self._gui.status_of(row.id)
        self._gui.tell([address], "engine_status_update", status.model_dump())
        return ClaimedEngine(id=row.id, name=row.name, status=status.status, owner=checksum_address(address))
