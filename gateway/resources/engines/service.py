"""What can be done with engines. An engine of somebody else is answered like one that does not exist."""

from __future__ import annotations

from gateway.auth.engine_token import hash_token
from gateway.billing.limits import Limits
from gateway.db import audit
from gateway.db.database import Database
from gateway.db.remembered import Remembered
from gateway.realtime.engine_links import EngineLinks
from gateway.realtime.gui_channel import GuiChannel
from gateway.realtime.presence import Presence
from gateway.resources.accounts.service import register
from gateway.resources.engine_shares import queries as shares
from gateway.resources.engine_shares.grants import stored_grant
from gateway.resources.engines import queries
from gateway.resources.engines.queries import EngineRow
from shared.clock import Clock, iso
from shared.contract.engine import Engine, EngineState, EngineToken, GuestGrant, RegisteredEngine
from shared.errors import ErrorCode, FloworkError
from shared.ids import new_engine_token, new_id

MAX_ENGINES = 100
MOST_OWNERS = 1_000
"""Whose engines are remembered at once."""


class Engines:
    """The use cases of engines; addresses are in lower case."""

    def __init__(  # noqa: PLR0913, PLR0917 - its parts
        self,
        database: Database,
        clock: Clock,
        presence: Presence,
        links: EngineLinks,
        gui: GuiChannel,
        limits: Limits,
    ) -> None:
        self._database = database
        self._clock = clock
        self._presence = presence
        self._links = links
        self._gui = gui
        self._limits = limits
        self._owned = Remembered(database, queries.owned_by, most=MOST_OWNERS)

    def owned_by(self, owner: str) -> list[Engine]:
        """List the engines of an owner, by name."""
        return [self._shown(row) for row in self._owned.get(owner)]

    def register(self, owner: str, name: str) -> RegisteredEngine:
        """Enter an engine and return it with its token, which is shown this once.

        Raises PAYMENT_REQUIRED at the plan's limit, CONFLICT at the gateway's.
        """
        register(self._database, self._clock, owner)
        engine_id, token, now_ms = new_id(), new_engine_token(), self._clock.now_ms()
        with self._database.write() as connection:
            self._limits.check(owner, "engines", connection=connection)
            if queries.count_owned_by(connection, owner) >= MAX_ENGINES:
                raise FloworkError(
                    ErrorCode.CONFLICT,
                    f"You have {MAX_ENGINES} engines already; delete one before adding another.",
                )
            queries.add(
                connection,
                engine_id=engine_id,
                owner=owner,
                name=name,
                token_hash=hash_token(token),
                now_ms=now_ms,
            )
            audit.record(connection, owner, "engine_register", engine_id, now_ms)
        return RegisteredEngine(id=engine_id, name=name, status="offline", raw_token=token)

    def delete(self, owner: str, engine_id: str) -> None:
        """Delete an engine and close its link. Raises NOT_FOUND."""
        with self._database.write() as connection:
            audience = queries.audience(connection, engine_id)
            self._require(queries.remove(connection, engine_id, owner))
            audit.record(connection, owner, "engine_delete", engine_id, self._clock.now_ms())
        self._links.close(engine_id)
        self._gui.tell(audience, "engine_deleted", {"engine_id": engine_id})

    def reset_token(self, owner: str, engine_id: str) -> EngineToken:
        """Replace an engine's token and close its link, which the old one had opened. Raises NOT_FOUND."""
        token = new_engine_token()
        with self._database.write() as connection:
            self._require(queries.set_token_hash(connection, engine_id, owner, hash_token(token)))
            audit.record(connection, owner, "engine_reset_token", engine_id, self._clock.now_ms())
        self._links.close(engine_id)
        return EngineToken(message="The old token stopped working.", token=token, engine_id=engine_id)

    def rename(self, owner: str, engine_id: str, name: str) -> None:
        """Rename an engine. Raises NOT_FOUND."""
        with self._database.write() as connection:
            self._require(queries.rename(connection, engine_id, owner, name))
            audit.record(connection, owner, "engine_rename", engine_id, self._clock.now_ms())

    def authorised(self, engine_id: str) -> list[str]:
        """List the addresses that may use an engine: its owner first, then its guests."""
        with self._database.read() as connection:
            return queries.audience(connection, engine_id)

    def grants(self, engine_id: str) -> list[GuestGrant]:
        """List what the owner signed for an engine's guests."""
        with self._database.read() as connection:
            rows = shares.of_engine(connection, engine_id)
        return [grant for grant in map(stored_grant, rows) if grant is not None]

    def _shown(self, row: EngineRow) -> Engine:
        heard = self._presence.heard_at(row.id)
        last_seen = max(heard or 0, row.last_seen_ms or 0)
        status: EngineState = "online" if self._presence.is_online(row.id) else "offline"
        return Engine(
            id=row.id, name=row.name, status=status, last_seen=iso(last_seen) if last_seen else None
        )

    @staticmethod
    def _require(changed: bool) -> None:  # noqa: FBT001 - the outcome of the query
        if not changed:
            raise not_found()


def not_found() -> FloworkError:
    """Return the one answer for an engine that is unknown or somebody else's."""
    return FloworkError(ErrorCode.NOT_FOUND, "You have no engine of this id.")
