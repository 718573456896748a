"""Guests and their roles as pure data."""

from __future__ import annotations

from typing import Any

import pytest

from core_engine.access import roster as module
from core_engine.access.roster import GuestList, Roster
from shared.contract.base import Role
from shared.errors import ErrorCode, FloworkError
from shared.signing.grants import Grant, SignedGrant, sign_grant
from shared.signing.keys import WalletKey

NOW = 1_700_000_000_000
ENGINE = "engine-1"
OWNER, OTHER, GUEST = (WalletKey.from_hex(digit * 64) for digit in "123")


def grant(
    *, role: Role = Role.ADMIN, epoch: int = 1, exp: int = NOW + 1000, preset: str | None = None,
    signer: WalletKey = OWNER, engine: str = ENGINE,
) -> SignedGrant:  # fmt: skip
    return sign_grant(signer, Grant(engine, GUEST.address, role, epoch, exp, preset))


def roster(
    *grants: SignedGrant, listed: tuple[str, ...] = (GUEST.address,), before: Roster | None = None
) -> Roster:
    value = {"addresses": list(listed), "grants": [item.as_wire() for item in grants]}
    return (before or Roster()).updated(
        GuestList.read(value), engine_id=ENGINE, owner=OWNER.address.lower(), now_ms=NOW
    )


def role(of: Roster, *, trust: Any = "grants", now_ms: int = NOW) -> Role | None:
    return of.role_of(GUEST.address.lower(), trust=trust, now_ms=now_ms)


def test_the_documented_list_gives_readers_or_by_setting_runners() -> None:
    listed = Roster().updated(GuestList.read([GUEST.address]), engine_id=ENGINE, owner="", now_ms=NOW)
    assert role(listed) is Role.READER
    assert role(listed, trust="list") is Role.RUNNER
    assert listed.role_of(OTHER.address.lower(), trust="list", now_ms=NOW) is None


@pytest.mark.parametrize("given", [Role.READER, Role.RUNNER, Role.ADMIN])
def test_a_grant_of_the_owner_gives_its_role(given: Role) -> None:
    assert role(roster(grant(role=given))) is given


@pytest.mark.parametrize(
    "bad",
    [
        grant(signer=OTHER),
        grant(signer=GUEST),
        grant(engine="engine-2"),
        grant(exp=NOW),
        SignedGrant(grant().grant, "0x" + "0" * 130),
        SignedGrant(Grant(ENGINE, GUEST.address, Role.ADMIN, 2, NOW + 1000), grant().signature),
    ],
    ids=["of-another", "of-the-guest", "other-engine", "expired", "no-signature", "edited"],
)
def test_any_other_grant_gives_nothing(bad: SignedGrant) -> None:
    assert role(roster(bad)) is Role.READER


def test_a_grant_ends_by_itself() -> None:
    assert role(roster(grant()), now_ms=NOW + 1000) is Role.READER


def test_a_grant_for_one_preset_does_not_open_the_engine() -> None:
    assert role(roster(grant(preset="daily"))) is Role.READER


def test_of_several_grants_the_highest_counts_but_one_for_a_preset_hides_none() -> None:
    both = [grant(role=Role.RUNNER), grant(role=Role.ADMIN), grant(role=Role.READER)]
    for order in (both, both[::-1]):
        assert role(roster(*order)) is Role.ADMIN
    narrow = [grant(role=Role.RUNNER), grant(role=Role.ADMIN, preset="daily")]
    for order in (narrow, narrow[::-1]):
        assert role(roster(*order)) is Role.RUNNER


def test_whom_the_gateway_does_not_list_has_no_role_in_spite_of_a_grant() -> None:
    assert role(roster(grant(), listed=())) is None


def test_a_higher_epoch_revokes_and_is_never_forgotten() -> None:
    first = roster(grant(epoch=3))
    assert role(first) is Role.ADMIN
    raised = roster(sign_grant(OWNER, Grant(ENGINE, OTHER.address, Role.READER, 4, NOW + 1000)), before=first)
    assert role(raised) is Role.READER
    restored = roster(grant(epoch=3), before=raised)
    assert role(restored) is Role.READER, "a gateway restored from an old backup brings no one back"
    assert restored.epoch == 4


def test_a_grant_that_was_taken_away_stays_away() -> None:
    first = roster(grant())
    assert role(first) is Role.ADMIN
    removed = roster(listed=(), before=first)
    assert role(removed) is None
    restored = roster(grant(), before=removed)
    assert role(restored) is Role.READER, "the list alone, as documented"
    hidden = roster(grant(), listed=(), before=first)
    assert role(roster(grant(), before=hidden)) is Role.READER, "also where only the address was taken away"
    assert role(roster(grant(exp=NOW + 2000), before=restored)) is Role.ADMIN, "the owner signed anew"


def test_of_two_grants_that_were_taken_away_none_comes_back() -> None:
    both = (grant(role=Role.ADMIN), grant(role=Role.RUNNER))
    removed = roster(listed=(), before=roster(*both))
    assert role(roster(*both, before=removed)) is Role.READER


def test_where_the_shorter_of_two_grants_ends_the_longer_goes_on() -> None:
    both = (grant(role=Role.RUNNER, exp=NOW + 2000), grant(role=Role.RUNNER, exp=NOW + 1000))
    for order in (both, both[::-1]):
        assert role(roster(*order), now_ms=NOW + 1000) is Role.RUNNER
    lower = (grant(role=Role.ADMIN, exp=NOW + 1000), grant(role=Role.RUNNER, exp=NOW + 2000))
    assert role(roster(*lower), now_ms=NOW + 1000) is Role.RUNNER


def test_a_grant_that_never_gave_anything_is_none_that_was_taken_away() -> None:
    unlisted = roster(grant(), listed=(), before=roster(grant(), listed=()))
    assert role(roster(grant(), before=unlisted)) is Role.ADMIN


def test_what_was_taken_away_is_forgotten_when_it_would_have_ended() -> None:
    removed = roster(listed=(), before=roster(grant()))
    assert len(removed.ended) == 1
    later = removed.updated(GuestList(), engine_id=ENGINE, owner=OWNER.address.lower(), now_ms=NOW + 1000)
    assert later.ended == {}


@pytest.mark.parametrize(
    "value",
    [
        None,
        {},
        "0x",
        [1],
        ["0x12"],
        [GUEST.address, None],
        {"addresses": [GUEST.address], "grants": {}},
        {"addresses": [GUEST.address], "grants": [{}]},
        {"addresses": None},
    ],
)
def test_malformed_lists_are_refused(value: Any) -> None:
    with pytest.raises(FloworkError) as caught:
        GuestList.read(value)
    assert caught.value.code is ErrorCode.INVALID_REQUEST


def test_the_list_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_GUESTS", 2)
    GuestList.read([GUEST.address] * 2)
    assert len(GuestList.read({"addresses": [], "grants": [grant().as_wire()] * 2}).grants) == 2
    with pytest.raises(FloworkError):
        GuestList.read([GUEST.address] * 3)


def test_a_list_survives_being_stored() -> None:
    guests = GuestList.read({"addresses": [GUEST.address, OTHER.address], "grants": [grant().as_wire()]})
    assert GuestList.read(guests.to_wire()) == guests


def test_a_guest_list_says_what_is_wrong_and_may_be_as_long_as_ten_thousand() -> None:
    assert module.MAX_GUESTS == 10_000
    for value, said in (({"addresses": 7}, "it is no list"), ([7], "a member is no address")):
        with pytest.raises(FloworkError, match=said):
            GuestList.read(value)
    with pytest.raises(FloworkError, match="it names more than 10000 guests"):
        GuestList.read({"addresses": [], "grants": [None] * 10_001})


def test_a_role_holds_to_the_last_millisecond_of_its_grant() -> None:
    held = roster(grant(exp=NOW + 1000))
    assert role(held, now_ms=NOW + 999) is Role.ADMIN
    assert role(held, now_ms=NOW + 1000) is Role.READER
    assert role(held, trust="list", now_ms=NOW + 1000) is Role.RUNNER
    assert role(roster(grant(role=Role.READER)), trust="list") is Role.RUNNER


def test_before_the_owner_is_known_nothing_is_lost_and_nothing_counts() -> None:
    removed = roster(listed=(), before=roster(grant(epoch=5)))
    listed = GuestList.read({"addresses": [GUEST.address], "grants": [grant(epoch=6).as_wire()]})
    waiting = removed.updated(listed, engine_id=ENGINE, owner="", now_ms=NOW)
    assert (waiting.epoch, waiting.grants, waiting.ended) == (5, {}, removed.ended)
    assert role(waiting) is Role.READER


def test_what_ended_is_kept_until_it_would_have_ended_by_itself() -> None:
    removed = roster(listed=(), before=roster(grant(exp=NOW + 1000)))
    for now_ms, kept in ((NOW + 999, 1), (NOW + 1000, 0)):
        later = removed.updated(GuestList(), engine_id=ENGINE, owner=OWNER.address.lower(), now_ms=now_ms)
        assert len(later.ended) == kept


def test_an_engine_that_knows_of_no_epoch_takes_the_first() -> None:
    assert Roster() == Roster(GuestList(), {}, 0, {})
    assert role(roster(grant(epoch=1))) is Role.ADMIN


def test_the_same_list_again_changes_nothing() -> None:
    first = roster(grant())
    again = roster(grant(), before=first)
    assert again == first
    assert role(roster(grant(), before=again)) is Role.ADMIN
