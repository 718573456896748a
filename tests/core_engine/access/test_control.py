"""Owner, claim, first contact and guests, on a real store that is closed and opened again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from core_engine.access.control import GUESTS_KEY, OWNER_KEY, AccessControl, AccessPolicy
from core_engine.storage import EngineStore
from shared.clock import ManualClock
from shared.contract.base import Role
from shared.errors import ErrorCode, FloworkError
from shared.ids import new_claim_code
from shared.signing.claims import claim_proof
from shared.signing.grants import Grant, sign_grant
from shared.signing.keys import WalletKey

ENGINE = "engine-1"
OWNER, OTHER, GUEST = (WalletKey.from_hex(digit * 64) for digit in "123")
CODE = new_claim_code()


@contextmanager
def engine(folder: Path, **policy: Any) -> Iterator[AccessControl]:
    """An engine's access on a data folder; leaving it is the engine's end."""
    store = EngineStore.open(folder)
    settings = {"engine_id": ENGINE, "owner_address": "", "claim_code": "", "trust": "grants"} | policy
    try:
        yield AccessControl(AccessPolicy(**settings), store, ManualClock())
    finally:
        store.close()


def proof(key: WalletKey, code: str = CODE, engine_id: str = ENGINE) -> str:
    return claim_proof(code, key.address, engine_id)


def roles(access: AccessControl) -> list[Role | None]:
    return [access.role_of(key.address.lower()) for key in (OWNER, OTHER, GUEST)]


async def refused(code: ErrorCode, access: AccessControl, address: str, shown: str) -> None:
    before = access.owner
    with pytest.raises(FloworkError) as caught:
        await access.claim(address, shown)
    assert caught.value.code is code
    assert access.owner == before


async def test_without_an_owner_nobody_has_a_role_and_is_told_why(tmp_path: Path) -> None:
    with engine(tmp_path) as access:
        await access.load()
        assert roles(access) == [None] * 3
        with pytest.raises(FloworkError, match="no owner yet") as caught:
            access.require_role(OWNER.address.lower())
        assert caught.value.code is ErrorCode.FORBIDDEN


async def test_the_owner_of_the_settings_is_pinned_and_stays_without_them(tmp_path: Path) -> None:
    with engine(tmp_path, owner_address=OWNER.address) as access:
        await access.load()
        assert roles(access) == [Role.OWNER, None, None]
        assert access.require_role(OWNER.address.lower()) is Role.OWNER
        with pytest.raises(FloworkError, match="no role"):
            access.require_role(OTHER.address.lower())
    with engine(tmp_path) as access:
        await access.load()
        assert access.owner == OWNER.address.lower()


async def test_the_operator_may_change_the_owner_by_the_settings(tmp_path: Path) -> None:
    for key in (OWNER, OTHER):
        with engine(tmp_path, owner_address=key.address) as access:
            await access.load()
            assert access.owner == key.address.lower()


async def test_a_claim_pins_the_owner_durably_and_burns_the_code(tmp_path: Path) -> None:
    with engine(tmp_path, claim_code=CODE) as access:
        await access.load()
        changes: list[str] = []
        access.subscribe(lambda: changes.append("changed"))
        await access.claim(OWNER.address, proof(OWNER))
        assert roles(access) == [Role.OWNER, None, None]
        assert changes == ["changed"]
        await refused(ErrorCode.CONFLICT, access, OTHER.address, proof(OTHER))
        await access.claim(OWNER.address, proof(OWNER))
        assert access.owner == OWNER.address.lower(), "the same claim again only repeats its answer"
    with engine(tmp_path, claim_code=CODE) as access:
        await access.load()
        await refused(ErrorCode.CONFLICT, access, OTHER.address, proof(OTHER))
    with engine(tmp_path, claim_code=new_claim_code()) as access:
        await access.load()
        await refused(ErrorCode.CONFLICT, access, OWNER.address, proof(OWNER))


@pytest.mark.parametrize(
    "shown",
    [
        proof(OTHER),
        proof(OWNER, "guess"),
        proof(OWNER, engine_id="engine-2"),
        "",
        "ä" * 64,
        proof(OWNER).upper(),
    ],
    ids=["of another address", "with another code", "for another engine", "empty", "not hex", "upper case"],
)
async def test_a_wrong_proof_claims_nothing(tmp_path: Path, shown: str) -> None:
    with engine(tmp_path, claim_code=CODE) as access:
        await access.load()
        await refused(ErrorCode.FORBIDDEN, access, OWNER.address, shown)


async def test_without_a_code_nothing_can_be_claimed(tmp_path: Path) -> None:
    with engine(tmp_path) as access:
        await access.load()
        await refused(ErrorCode.FORBIDDEN, access, OWNER.address, proof(OWNER, ""))


async def test_the_first_contact_pins_the_owner_once(tmp_path: Path) -> None:
    with engine(tmp_path) as access:
        await access.load()
        for nothing in (None, "", "0x12", "owner"):
            await access.meet_owner(nothing)
        assert access.owner is None
        await access.meet_owner(OWNER.address)
        await access.meet_owner(OTHER.address)
        assert roles(access) == [Role.OWNER, None, None]
    with engine(tmp_path) as access:
        await access.load()
        await access.meet_owner(OTHER.address)
        assert access.owner == OWNER.address.lower()


async def test_an_engine_that_waits_for_its_claim_does_not_believe_the_gateway(tmp_path: Path) -> None:
    with engine(tmp_path, claim_code=CODE) as access:
        await access.load()
        await access.meet_owner(OTHER.address)
        assert access.owner is None
        await access.claim(OWNER.address, proof(OWNER))
        assert access.owner == OWNER.address.lower()


async def test_the_list_is_kept_for_times_without_a_gateway(tmp_path: Path) -> None:
    granted = sign_grant(OWNER, Grant(ENGINE, GUEST.address, Role.RUNNER, 7, 1_800_000_000_000))
    listed = {"addresses": [OWNER.address, GUEST.address, OTHER.address], "grants": [granted.as_wire()]}
    with engine(tmp_path, owner_address=OWNER.address) as access:
        await access.load()
        await access.replace_guests(listed)
        assert roles(access) == [Role.OWNER, Role.READER, Role.RUNNER]
    with engine(tmp_path) as access:
        await access.load()
        assert roles(access) == [Role.OWNER, Role.READER, Role.RUNNER]
        await access.replace_guests([OWNER.address])
        assert roles(access) == [Role.OWNER, None, None]
    with engine(tmp_path) as access:
        await access.load()
        assert roles(access) == [Role.OWNER, None, None]
        raised = sign_grant(OWNER, Grant(ENGINE, GUEST.address, Role.RUNNER, 6, 1_800_000_000_000))
        await access.replace_guests({"addresses": [GUEST.address], "grants": [raised.as_wire()]})
        assert roles(access)[2] is Role.READER, "an epoch below the highest seen is revoked"


async def test_a_grant_that_was_taken_away_stays_away_over_a_restart(tmp_path: Path) -> None:
    granted = sign_grant(OWNER, Grant(ENGINE, GUEST.address, Role.RUNNER, 1, 1_800_000_000_000))
    listed = {"addresses": [GUEST.address], "grants": [granted.as_wire()]}
    with engine(tmp_path, owner_address=OWNER.address) as access:
        await access.load()
        await access.replace_guests(listed)
        assert roles(access)[2] is Role.RUNNER
        await access.replace_guests([])
    with engine(tmp_path) as access:
        await access.load()
        await access.replace_guests(listed)
        assert roles(access)[2] is Role.READER


async def test_a_gateway_cannot_make_an_owner_by_its_list(tmp_path: Path) -> None:
    with engine(tmp_path, owner_address=OWNER.address, trust="list") as access:
        await access.load()
        await access.replace_guests([OTHER.address, OWNER.address])
        assert roles(access) == [Role.OWNER, Role.RUNNER, None]


async def test_grants_that_came_before_the_owner_are_judged_when_it_is_known(tmp_path: Path) -> None:
    granted = sign_grant(OWNER, Grant(ENGINE, GUEST.address, Role.ADMIN, 1, 1_800_000_000_000))
    with engine(tmp_path) as access:
        await access.load()
        await access.replace_guests({"addresses": [GUEST.address], "grants": [granted.as_wire()]})
        assert roles(access)[2] is Role.READER
        await access.meet_owner(OWNER.address)
        assert roles(access)[2] is Role.ADMIN


async def test_a_malformed_list_changes_nothing(tmp_path: Path) -> None:
    with engine(tmp_path, owner_address=OWNER.address) as access:
        await access.load()
        await access.replace_guests([GUEST.address])
        with pytest.raises(FloworkError):
            await access.replace_guests([GUEST.address, "nobody"])
        assert roles(access)[2] is Role.READER


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *((key, value) for key in (OWNER_KEY, GUESTS_KEY) for value in (b"{", b"[]", b'"x"')),
        (GUESTS_KEY, b'{"guests": []}'),
        (GUESTS_KEY, b'{"guests": {"addresses": 7}, "epoch": 1}'),
        (GUESTS_KEY, b'{"guests": {"addresses": []}, "epoch": 1, "ended": [1]}'),
        (GUESTS_KEY, b'{"guests": {"addresses": []}, "epoch": 1, "ended": {"a": "b"}}'),
    ],
)
async def test_damaged_memory_keeps_the_engine_closed(tmp_path: Path, key: str, value: bytes) -> None:
    store = EngineStore.open(tmp_path)
    await store.put(key, value)
    store.close()
    with engine(tmp_path) as access:
        with pytest.raises(FloworkError) as caught:
            await access.load()
        assert caught.value.code is ErrorCode.JOURNAL_CORRUPT


async def test_who_listens_hears_of_every_change(tmp_path: Path) -> None:
    with engine(tmp_path) as access:
        await access.load()
        changes: list[str | None] = []
        access.subscribe(lambda: changes.append(access.owner))
        await access.meet_owner(OWNER.address)
        await access.replace_guests([GUEST.address])
        await access.meet_owner(OTHER.address)
        assert changes == [OWNER.address.lower()] * 2
