"""Pages in Redis: what one process notes, the other reads; and a page that closed is gone for both."""

from __future__ import annotations

import pytest

from gateway.auth.socket_handshake import SignIn
from gateway.cluster.pages import RedisPages
from gateway.cluster.store import connect
from gateway.realtime.pages import MAX_VISITS, Page
from shared.ids import new_id
from tests.support.redis import RedisServer


@pytest.fixture
def both(redis: RedisServer) -> tuple[RedisPages, RedisPages]:
    client = connect(redis.url)
    return RedisPages(client, new_id()), RedisPages(client, new_id())


@pytest.fixture
def sign_in() -> SignIn:
    return SignIn("0x" + new_id().replace("-", "").ljust(40, "0"), new_id(), "0xsigned")


def read(pages: RedisPages, sign_in: SignIn) -> Page:
    page = pages.find(sign_in.page)
    assert page is not None
    return page


def test_what_one_notes_the_other_reads(both: tuple[RedisPages, RedisPages], sign_in: SignIn) -> None:
    here, there = both
    page = here.join("s1", sign_in)
    here.involve(page, "e1", latest=False)
    here.involve(page, "e2", latest=True)
    running = {"job_id": "j", "seq": 3}
    here.note(page, "e1", [running, {"job_id": "k", "seq": 1}])
    seen = read(there, sign_in)
    assert (seen.sign_in, seen.engines, seen.latest) == (sign_in, {"e1", "e2"}, "e2")
    assert seen.runs == {"j": ("e1", 3), "k": ("e1", 1)}
    there.note(
        seen, "e1", [running | {"seq": 4}, {"job_id": "k", "seq": 2, "status_data": {"status": "FAILED"}}]
    )
    assert read(here, sign_in).runs == {"j": ("e1", 4)}


def test_a_page_is_gone_with_its_last_connection(
    both: tuple[RedisPages, RedisPages], sign_in: SignIn
) -> None:
    here, there = both
    here.join("s1", sign_in)
    there.join("s2", sign_in)
    assert here.leave("s1", sign_in) is None
    assert there.connections(read(there, sign_in)) == ["s2"]
    closed = there.leave("s2", sign_in)
    assert closed is not None
    assert closed.sign_in == sign_in
    assert here.find(sign_in.page) is None
    assert here.of([sign_in.address], "e") == []


def test_visitors_of_an_engine_are_found(both: tuple[RedisPages, RedisPages], sign_in: SignIn) -> None:
    here, there = both
    engine = new_id()
    page = here.join("s1", sign_in)
    here.visit(page, engine, "token")
    (found,) = there.of([], engine)
    assert found.visits == {engine: "token"}
    for number in range(MAX_VISITS):
        here.visit(page, f"other-{number}", "t")
    assert len(read(there, sign_in).visits) == MAX_VISITS
    assert there.of([], engine) == []
