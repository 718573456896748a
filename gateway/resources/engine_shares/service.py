"""What can be done with shares of engines. An engine of somebody else is answered like one that does not exist."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from gateway.billing.limits import Limits
from gateway.chain.names import Names
from gateway.db import audit
from gateway.db.database import Database
from gateway.realtime.engine_links import EngineLinks
from gateway.realtime.gui_channel import GuiChannel
from gateway.realtime.presence import Presence
from gateway.resources.accounts import queries as accounts
from gateway.resources.accounts.service import register, resolve, without_name
from gateway.resources.engine_shares import queries
from gateway.resources.engine_shares.grants import as_stored, needs_grant, proposed_text, read_share_grant
from gateway.resources.engine_shares.queries import ShareRow, VisibleEngine
from gateway.resources.engines import queries as engines
from gateway.resources.engines.service import not_found
from shared.clock import Clock, iso
from shared.contract.engine import EngineState
from shared.contract.sharing import EngineOwner, EngineShare, ShareAdded, SharedEngine, ShareEngineBody
from shared.errors import ErrorCode, FloworkError
from shared.signing.keys import checksum_address

MAX_SHARES = 500


@dataclass(frozen=True, slots=True)
class _Asked:
    """A share that an owner asks for, checked; ``grant`` is its JSON."""

    guest: str
    role: str
    grant: str | None
    epoch: int


class EngineShares:
    """The use cases of sharing; addresses are in lower case."""

    def __init__(  # noqa: PLR0913, PLR0917 - what it is wired with
        self,
        database: Database,
        clock: Clock,
        presence: Presence,
        links: EngineLinks,
        gui: GuiChannel,
        limits: Limits,
        names: Names,
    ) -> None:
        self._database = database
        self._clock = clock
        self._presence = presence
        self._links = links
        self._gui = gui
        self._limits = limits
        self._names = names

    def listing(self, owner: str, engine_id: str) -> list[EngineShare]:
        """List the guests of an own engine; raises NOT_FOUND."""
        with self._database.read() as connection:
            _require_owner(connection, owner, engine_id)
            rows = queries.of_engine(connection, engine_id)
            names = accounts.names_of(connection, [row.guest for row in rows])
        return [self._shown(row, names.get(row.guest)) for row in rows]

    def shared_with(self, guest: str) -> list[SharedEngine]:
        """List the engines that others share with somebody."""
        with self._database.read() as connection:
            rows = queries.visible_engines(connection, guest)
            names = accounts.names_of(connection, [row.owner for row in rows])
        return [self._seen(row, names.get(row.owner)) for row in rows]

    def share(self, owner: str, engine_id: str, body: ShareEngineBody) -> tuple[ShareAdded, bool]:
        """Let somebody use an engine, or change what they may do; tell also whether the share is new.

        Raises NOT_FOUND, CONFLICT (the owner, or too many), PAYMENT_REQUIRED, INVALID_REQUEST or BAD_SIGNATURE.
        """
        guest = self._without_name(owner, engine_id, body.guest)
        with self._database.read() as connection:
            asked = self._read(connection, owner, engine_id, body, guest)
        register(self._database, self._clock, asked.guest)
        now_ms = self._clock.now_ms()
        row = ShareRow(engine_id, asked.guest, asked.role, asked.grant, asked.epoch, now_ms)
        with self._database.write() as connection:
            _require_owner(connection, owner, engine_id)
            if queries.find(connection, engine_id, asked.guest) is None:
                self._limits.check(owner, "shares", connection=connection)
            is_new = queries.put(connection, row)
            queries.raise_epoch(connection, engine_id, asked.epoch)
            epoch = queries.epoch_of(connection, engine_id)
            if is_new and queries.count(connection, engine_id) > MAX_SHARES:
                raise FloworkError(ErrorCode.CONFLICT, f"An engine has at most {MAX_SHARES} guests.")
            audit.record(connection, owner, "engine_share", f"{engine_id[:20]} {asked.guest}", now_ms)
        self._tell(row, is_new=is_new)
        needs = needs_grant(row, now_ms)
        done = "may use the engine now" if is_new else "has the new role now"
        hint = "; until you sign a grant, the engine lets them look only" if needs else ""
        shown = checksum_address(asked.guest)
        added = ShareAdded(
            message=f"{shown} {done}{hint}.",
            share_id=shown,
            role=asked.role,
            needs_grant=needs,
            grant_text=proposed_text(row, epoch, now_ms),
        )
        return added, is_new

    def unshare(self, owner: str, engine_id: str, identifier: str) -> None:
        """End a share: the engine hears of it at once. Raises NOT_FOUND."""
        identifier = self._without_name(owner, engine_id, identifier)
        with self._database.write() as connection:
            _require_owner(connection, owner, engine_id)
            guest = resolve(connection, identifier)
            if guest is None or not queries.remove(connection, engine_id, guest):
                raise FloworkError(ErrorCode.NOT_FOUND, "This engine is not shared with anybody of this id.")
            now_ms = self._clock.now_ms()
            audit.record(connection, owner, "engine_unshare", f"{engine_id[:20]} {guest}", now_ms)
        self._links.refresh_guests(engine_id)
        self._gui.tell([guest], "removed_shared_engine", {"engine_id": engine_id})

    def _without_name(self, owner: str, engine_id: str, identifier: str) -> str:
        if self._names.reads(identifier):
            with self._database.read() as connection:  # nobody asks the chain about engines of others
                _require_owner(connection, owner, engine_id)
        return without_name(self._names, identifier)

    def _read(
        self, connection: Connection, owner: str, engine_id: str, body: ShareEngineBody, identifier: str
    ) -> _Asked:
        _require_owner(connection, owner, engine_id)
        guest = resolve(connection, identifier)
        if guest is None:
            raise FloworkError(
                ErrorCode.NOT_FOUND, "There is no user of this name; an address works for anybody."
            )
        if guest == owner:
            raise FloworkError(ErrorCode.CONFLICT, "The engine is yours already.")
        known = queries.find(connection, engine_id, guest)
        role = body.role or (known.role if known else "reader")
        if body.grant is not None:
            signed = read_share_grant(
                body.grant,
                engine_id=engine_id,
                owner=owner,
                guest=guest,
                role=role,
                now_ms=self._clock.now_ms(),
            )
            return _Asked(guest, role, as_stored(signed), signed.grant.epoch)
        kept = known if known and known.role == role else None
        return _Asked(guest, role, kept.signed_grant if kept else None, kept.epoch if kept else 0)

    def _tell(self, row: ShareRow, *, is_new: bool) -> None:
        self._links.refresh_guests(row.engine_id)
        seen = [item for item in self.shared_with(row.guest) if item.id == row.engine_id]
        event = "new_shared_engine" if is_new else "shared_engine_updated"
        for item in seen:
            self._gui.tell([row.guest], event, item.model_dump() | {"engine_id": item.id})

    def _shown(self, row: ShareRow, name: str | None) -> EngineShare:
        shown = checksum_address(row.guest)
        return EngineShare(
            share_id=shown,
            user_id=shown,
            engine_id=row.engine_id,
            username=name,
            email=None,
            public_address=shown,
            role=row.role,
            shared_at=iso(row.created_ms),
            needs_grant=needs_grant(row, self._clock.now_ms()),
        )

    def _seen(self, row: VisibleEngine, owner_name: str | None) -> SharedEngine:
        status: EngineState = "online" if self._presence.is_online(row.id) else "offline"
        owner = EngineOwner(user_id=checksum_address(row.owner), username=owner_name, email=None)
        return SharedEngine(
            id=row.id,
            name=row.name,
            status=status,
            owner=owner,
            shared_at=iso(row.created_ms),
            role=row.role,
        )


def _require_owner(connection: Connection, owner: str, engine_id: str) -> None:
    row = engines.find(connection, engine_id)
    if row is None or row.owner_address != owner:
        raise not_found()
