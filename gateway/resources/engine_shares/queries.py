"""What is asked of the shares of engines. Addresses are in lower case."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, select, update

from gateway.db import upsert
from gateway.db.tables import engine_shares, engines


@dataclass(frozen=True, slots=True)
class ShareRow:
    """A guest of an engine; ``signed_grant`` is the grant's JSON as the engine reads it."""

    engine_id: str
    guest: str
    role: str
    signed_grant: str | None
    epoch: int
    created_ms: int


@dataclass(frozen=True, slots=True)
class VisibleEngine:
    """An engine that somebody shares."""

    id: str
    name: str
    owner: str
    role: str
    created_ms: int


_COLUMNS = (
    engine_shares.c.engine_id,
    engine_shares.c.guest_address,
    engine_shares.c.role,
    engine_shares.c.signed_grant,
    engine_shares.c.epoch,
    engine_shares.c.created_ms,
)


def of_engine(connection: Connection, engine_id: str) -> list[ShareRow]:
    """Return the guests of an engine, in the order they were let in."""
    query = select(*_COLUMNS).where(engine_shares.c.engine_id == engine_id)
    query = query.order_by(engine_shares.c.created_ms, engine_shares.c.guest_address)
    return [ShareRow(*row) for row in connection.execute(query)]


def of_guest(connection: Connection, guest: str) -> list[ShareRow]:
    """Return the shares that somebody was given."""
    query = select(*_COLUMNS).where(engine_shares.c.guest_address == guest)
    return [ShareRow(*row) for row in connection.execute(query)]


def find(connection: Connection, engine_id: str, guest: str) -> ShareRow | None:
    """Return one share."""
    query = select(*_COLUMNS).where(
        engine_shares.c.engine_id == engine_id, engine_shares.c.guest_address == guest
    )
    row = connection.execute(query).first()
    return None if row is None else ShareRow(*row)


def visible_engines(connection: Connection, guest: str) -> list[VisibleEngine]:
    """Return the engines that others share with somebody, by name."""
    query = (
        select(
            engines.c.id,
            engines.c.name,
            engines.c.owner_address,
            engine_shares.c.role,
            engine_shares.c.created_ms,
        )
        .join(engine_shares, engine_shares.c.engine_id == engines.c.id)
        .where(engine_shares.c.guest_address == guest, engines.c.owner_address.is_not(None))
        .order_by(engines.c.name, engines.c.id)
    )
    return [VisibleEngine(*row) for row in connection.execute(query)]


def count(connection: Connection, engine_id: str) -> int:
    """Return how many guests an engine has."""
    query = select(func.count()).select_from(engine_shares).where(engine_shares.c.engine_id == engine_id)
    return int(connection.execute(query).scalar_one())


def epoch_of(connection: Connection, engine_id: str) -> int:
    """Return the highest share epoch that the owner signed as far as the gateway knows, 1 at the beginning."""
    query = select(engines.c.share_epoch).where(engines.c.id == engine_id)
    return int(connection.execute(query).scalar() or 1)


def raise_epoch(connection: Connection, engine_id: str, epoch: int) -> None:
    """Note a share epoch that the owner signed; it never sinks."""
    query = update(engines).where(engines.c.id == engine_id, engines.c.share_epoch < epoch)
    connection.execute(query.values(share_epoch=epoch))


def put(connection: Connection, row: ShareRow) -> bool:
    """Enter or change a share; tell whether it is a new one."""
    key = {"engine_id": row.engine_id, "guest_address": row.guest}
    values = {"role": row.role, "signed_grant": row.signed_grant, "epoch": row.epoch}
    return upsert.put(connection, engine_shares, key, values, {"created_ms": row.created_ms})


def remove(connection: Connection, engine_id: str, guest: str) -> bool:
    """End a share; return False if there is none."""
    query = delete(engine_shares).where(
        engine_shares.c.engine_id == engine_id, engine_shares.c.guest_address == guest
    )
    return connection.execute(query).rowcount == 1


def remove_guest(connection: Connection, guest: str) -> None:
    """End every share that somebody was given."""
    connection.execute(delete(engine_shares).where(engine_shares.c.guest_address == guest))
