"""What an engine knows of a connection: who spoke there by what right, and when that is over."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import pytest

from core_engine.access import watch
from core_engine.access.control import AccessControl, AccessPolicy
from core_engine.access.standing import MAX_IDENTITIES, Standing
from core_engine.storage import EngineStore
from shared.clock import ManualClock
from shared.contract.base import Role
from shared.contract.share_link import ShareLevel
from shared.errors import ErrorCode
from shared.signing.grants import Grant, sign_grant
from shared.signing.keys import WalletKey
from shared.signing.link_grants import LinkGrant, hash_link_token

OWNER, GUEST = (WalletKey.from_hex(digit * 64) for digit in "12")
HOME, AWAY = OWNER.address.lower(), GUEST.address.lower()


class House(NamedTuple):
    access: AccessControl
    clock: ManualClock

    def ended(self, standing: Standing) -> tuple[ErrorCode, str, str] | None:
        error = self.access.ended(standing)
        return None if error is None else (error.code, error.message, error.details["ended"])

    async def let_in(self, role: Role, *, epoch: int = 1, seconds: int = 100) -> None:
        grant = Grant("engine-1", GUEST.address, role, epoch, self.clock.now_ms() + 1000 * seconds)
        listed = {"addresses": [GUEST.address], "grants": [sign_grant(OWNER, grant).as_wire()]}
        await self.access.replace_guests(listed)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    store, clock = EngineStore.open(tmp_path), ManualClock()
    policy = AccessPolicy(engine_id="engine-1", owner_address=OWNER.address, claim_code="", trust="grants")
    access = AccessControl(policy, store, clock)
    await access.load()
    yield House(access, clock)
    store.close()


def spoken(address: str, until_ms: int | None, role: Role | None, link: LinkGrant | None = None) -> Standing:
    standing = Standing()
    assert standing.admit(address, until_ms, role=role, link=link)
    return standing


def link(epoch: int, exp: int | None) -> LinkGrant:
    return LinkGrant("engine-1", "Report", ShareLevel.RUN, hash_link_token("t" * 32), epoch, exp)


DELEGATION = (ErrorCode.STALE, "The delegation has expired; sign a new one with the wallet.", "delegation")
ACCESS = (ErrorCode.FORBIDDEN, "Access revoked", "access")
REVOKED = (ErrorCode.FORBIDDEN, "The share link was revoked.", "link")
EXPIRED = (ErrorCode.STALE, "The share link has expired.", "link")


async def test_a_session_key_is_told_until_the_moment_its_delegation_ends(house: House) -> None:
    standing = spoken(HOME, house.clock.now_ms() + 1000, Role.OWNER)
    house.clock.ms += 999
    assert house.ended(standing) is None
    house.clock.ms += 1
    assert house.ended(standing) == DELEGATION


async def test_the_last_of_several_delegations_counts_and_the_wallet_itself_more(house: House) -> None:
    now = house.clock.now_ms()
    standing = spoken(HOME, now + 2000, Role.OWNER)
    assert standing.admit(HOME, now + 3000, role=Role.OWNER)
    assert standing.admit(HOME, now + 1000, role=Role.OWNER)
    house.clock.ms += 2999
    assert house.ended(standing) is None
    house.clock.ms += 1
    assert house.ended(standing) == DELEGATION
    assert standing.admit(HOME, None, role=Role.OWNER)
    assert house.ended(standing) is None
    assert standing.admit(HOME, now, role=Role.OWNER)
    assert house.ended(standing) is None, "what a session key says later takes nothing away"


async def test_whoever_may_do_less_than_he_did_there_is_told_no_more(house: House) -> None:
    await house.let_in(Role.RUNNER)
    standing = spoken(AWAY, None, Role.RUNNER)
    assert house.ended(standing) is None
    await house.let_in(Role.ADMIN, epoch=2)
    assert house.ended(standing) is None, "more is no less"
    assert standing.admit(AWAY, None, role=Role.ADMIN)
    assert standing.admit(AWAY, None, role=Role.READER)
    assert standing.admit(AWAY, None)
    await house.let_in(Role.RUNNER, epoch=3)
    assert house.ended(standing) == ACCESS, "the most that he was there counts"
    assert house.ended(spoken(AWAY, None, Role.RUNNER)) is None
    await house.access.replace_guests([])
    assert house.ended(spoken(AWAY, None, Role.READER)) == ACCESS
    assert house.ended(spoken(AWAY, None, None)) is None, "who spoke by a link never had a role"


async def test_a_link_ends_by_its_time_or_a_higher_epoch(house: House) -> None:
    until, ever = (
        spoken(AWAY, None, None, link(1, house.clock.now_ms() + 1000)),
        spoken(AWAY, None, None, link(1, None)),
    )
    house.clock.ms += 999
    assert (house.ended(until), house.ended(ever)) == (None, None)
    house.clock.ms += 1
    assert (house.ended(until), house.ended(ever)) == (EXPIRED, None)
    assert until.admit(AWAY, None, role=None, link=link(1, None))
    assert house.ended(until) == EXPIRED, "by another link one did not see what one saw by this"
    await house.let_in(Role.READER, epoch=2)
    assert house.ended(ever) == REVOKED
    assert house.ended(spoken(AWAY, None, None, link(2, None))) is None


async def test_each_identity_on_a_connection_has_to_have_what_it_had(house: House) -> None:
    assert house.ended(Standing()) is None
    standing = spoken(HOME, None, Role.OWNER)
    assert standing.admit(AWAY, house.clock.now_ms(), role=None)
    assert house.ended(standing) == DELEGATION


def test_a_connection_carries_so_many_identities_and_no_more() -> None:
    standing = Standing()
    assert MAX_IDENTITIES == 16
    assert all(standing.admit(f"0x{number}", None) for number in range(16))
    assert not standing.admit("0x16", None)
    assert standing.admit("0x3", None, role=Role.READER), "who is known goes on"
    assert (len(standing.grounds), standing.grounds["0x3"].role) == (16, Role.READER)


async def test_the_doors_are_asked_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    assert watch.PAUSE_SECONDS == 1.0
    monkeypatch.setattr(watch, "PAUSE_SECONDS", 0)
    asked: list[str] = []
    third = asyncio.Event()

    def one() -> None:
        asked.append("one")

    def two() -> None:
        asked.append("two")
        if len(asked) >= 6:
            third.set()

    made = watch.AccessWatch(one, two)
    made.enforce()
    assert asked == ["one", "two"]
    running = asyncio.create_task(made.run())
    await asyncio.wait_for(third.wait(), 30)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert asked[:6] == ["one", "two"] * 3
