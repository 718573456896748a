"""Claims in a real PostgreSQL: one lease each, and nothing is written without it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from core_engine.storage.claims import Claims, Offer
from core_engine.storage.claims_connection import KeptConnection, postgres_address
from core_engine.storage.claims_schema import TABLES
from core_engine.storage.claims_work import ClaimedWork
from shared.errors import ErrorCode, FloworkError
from shared.ids import new_id
from tests.support.postgres import PostgresServer

_SPEAKS = "speaks text NOT NULL DEFAULT ''"


@pytest.fixture
async def claims(postgres: PostgresServer) -> AsyncIterator[Claims]:
    connection = KeptConnection(postgres_address(postgres.url), "test", 30)
    made = Claims(connection, f"engine-{new_id()}")
    await made.prepare()
    yield made
    await connection.close()


@pytest.fixture
async def work(claims: Claims) -> ClaimedWork:
    return ClaimedWork(claims.connection, claims._engine, "worker-1", ["gpu"])


def offer(name: str, *, lease: float = 60, label: str = "", epoch: int = 1, step: str = "step") -> Offer:
    return Offer(name, "run", "node", 1, step, epoch, "default", label, lease, b"request")


async def test_of_many_who_want_a_step_one_gets_it(claims: Claims, postgres: PostgresServer) -> None:
    name = new_id()
    await claims.offer(offer(name))
    await claims.offer(offer(name))
    many = [ClaimedWork(KeptConnection(postgres.url, f"w{n}", 30), claims._engine, f"w{n}") for n in range(8)]
    got = await asyncio.gather(*(one.claim(name) for one in many for _ in range(4)))
    assert sum(claimed is not None for claimed in got) == 1
    await asyncio.gather(*(one.connection.close() for one in many))


async def test_fences_grow_and_a_lost_lease_writes_nothing(claims: Claims, work: ClaimedWork) -> None:
    first, second = new_id(), new_id()
    await claims.offer(offer(first, lease=0.05))
    await claims.offer(offer(second))
    lost, kept = await work.claim(first), await work.claim(second)
    assert lost
    assert kept
    assert kept.fence > lost.fence
    while not await claims.expire():  # noqa: ASYNC110 - PostgreSQL's clock gives no event
        await asyncio.sleep(0.01)
    assert not await work.holds(lost)
    assert not await work.renew(lost)
    assert not await work.tell(lost, 1, b"late")
    assert not await work.finish(lost, b"late"), "the late result is refused by the fence"
    assert (await claims.news([first]))[first].state == "LOST"
    assert not await claims.events({first: 0})
    assert await work.renew(kept)
    assert await work.finish(kept, b"result")
    assert not await work.finish(kept, b"another"), "one result"
    assert (await claims.news([second]))[second].result == b"result"


async def test_a_withdrawn_step_is_gone_for_its_worker(claims: Claims, work: ClaimedWork) -> None:
    name = new_id()
    await claims.offer(offer(name))
    claimed = await work.claim(name)
    assert claimed
    await claims.withdraw([name])
    assert not await work.holds(claimed)
    assert not await work.finish(claimed, b"late")
    assert await work.claim(name) is None
    assert await claims.news([name]) == {}


async def test_a_step_is_withdrawn_by_its_name_unless_a_later_process_has_it(
    claims: Claims, work: ClaimedWork
) -> None:
    mine, adopted, other = (new_id() for _ in range(3))
    for name, step in ((mine, "mine"), (adopted, "adopted"), (other, "other")):
        await claims.offer(offer(name, step=step))
    claimed = await work.claim(mine)
    assert claimed
    assert await claims.adopt("adopted", 3) == adopted
    await claims.withdraw_steps(["mine", "adopted", "unknown"], 2)
    assert not await work.holds(claimed)
    assert set(await claims.news([mine, adopted, other])) == {adopted, other}


async def test_what_is_told_comes_in_order_and_once(claims: Claims, work: ClaimedWork) -> None:
    name = new_id()
    await claims.offer(offer(name))
    claimed = await work.claim(name)
    assert claimed
    for number, body in ((1, b"a"), (2, b"b"), (2, b"b"), (3, b"c")):
        assert await work.tell(claimed, number, body)
    assert await claims.events({name: 0}) == {name: [(1, b"a"), (2, b"b"), (3, b"c")]}
    assert await claims.events({name: 2}) == {name: [(3, b"c")]}


async def test_a_label_is_asked_for(claims: Claims, work: ClaimedWork) -> None:
    ours, others = new_id(), new_id()
    await claims.offer(offer(ours, label="gpu"))
    await claims.offer(offer(others, label="tape"))
    assert await work.claim(others) is None
    assert await work.claim(ours) is not None


async def test_a_worker_that_stops_gives_all_back(claims: Claims, work: ClaimedWork) -> None:
    names = [new_id() for _ in range(3)]
    for name in names:
        await claims.offer(offer(name))
    assert await work.claim(names[0])
    assert await work.claim(names[1])
    assert await work.running() >= 2
    assert await work.release_all() == 2
    news = await claims.news(names)
    assert [(news[name].state, news[name].note) for name in names[:2]] == [("LOST", "drained")] * 2
    assert news[names[2]].state == "READY"


async def test_the_next_process_of_an_engine_adopts_the_latest_claim(claims: Claims) -> None:
    for name in (first := new_id(), second := new_id()):
        await claims.offer(offer(name, step="the step"))
    assert await claims.adopt("the step", 2) == second
    assert await claims.adopt("another step", 2) is None
    await claims.forget_others(2)
    assert set(await claims.news([first, second])) == {second}
    await claims.tidy(2, [])
    assert set(await claims.news([second])) == {second}, "what is young stays"


async def test_a_worker_of_another_version_leaves_a_step_and_says_which_it_is(claims: Claims) -> None:
    newer = Claims(claims.connection, claims._engine, "new")
    old, new = (ClaimedWork(claims.connection, claims._engine, "w", speaks=name) for name in ("old", "new"))
    name = new_id()
    await newer.offer(offer(name))
    assert await old.claim(name) is None
    assert await old.leave(name) == "new"
    assert (await claims.news([name]))[name].note == "old"
    assert await new.leave(name) is None
    assert await new.claim(name)
    assert await old.leave(name) is None, "it is taken"
    assert await old.spoken() is None
    await newer.announce()
    await newer.announce()
    assert await old.spoken() == "new"


async def test_tables_of_an_earlier_version_are_brought_up_to_date(postgres: PostgresServer) -> None:
    with postgres.connect() as database:
        database.execute("CREATE SCHEMA earlier")
        database.execute("SET search_path = earlier")
        database.execute(
            TABLES[0].replace("ended_at timestamptz,", "ended_at timestamptz").replace(_SPEAKS, "")
        )
        columns = "SELECT count(*) FROM information_schema.columns WHERE table_schema = 'earlier'"
        assert database.execute(columns + " AND column_name = 'speaks'").fetchone() == (0,)
    connection = KeptConnection(
        f"{postgres_address(postgres.url)}?options=-csearch_path%3Dearlier", "test", 30
    )
    claims = Claims(connection, "engine", "new")
    for _ in range(2):
        await claims.prepare()
    await claims.offer(offer("one"))
    assert await ClaimedWork(connection, "engine", "w", speaks="new").claim("one")
    await connection.close()


async def test_a_database_that_is_away_is_an_error_that_passes(postgres: PostgresServer) -> None:
    connection = KeptConnection(postgres_address(postgres.url.replace(str(postgres.port), "1")), "test", 5)
    with pytest.raises(FloworkError) as away:
        await Claims(connection, "engine").news(["x"])
    assert away.value.code is ErrorCode.ENGINE_UNAVAILABLE


@pytest.mark.parametrize("url", ["", "sqlite:///x.db", "mysql://x"])
def test_only_postgresql_will_do(url: str) -> None:
    with pytest.raises(FloworkError, match="Worker processes need PostgreSQL"):
        postgres_address(url)
