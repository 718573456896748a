"""Share links as the engine judges them, by what it knows itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core_engine.access.control import AccessControl, AccessPolicy
from core_engine.access.share_links import ShareLinks
from core_engine.access.standing import Standing
from core_engine.storage import EngineStore
from shared.clock import ManualClock
from shared.contract.base import Role
from shared.contract.share_link import RelayShare, ShareLevel, check_visit
from shared.errors import ErrorCode, FloworkError
from shared.signing.grants import Grant, sign_grant
from shared.signing.keys import WalletKey
from shared.signing.link_grants import LinkGrant, hash_link_token, link_text, sign_link

OWNER, OTHER = (WalletKey.from_hex(digit * 64) for digit in "12")
TOKEN = "t" * 32


def share(
    level: ShareLevel = ShareLevel.RUN, signer: WalletKey = OWNER, exp: int | None = None
) -> RelayShare:
    grant = LinkGrant("engine-1", "Report", level, hash_link_token(TOKEN), 1, exp)
    return RelayShare(token=TOKEN, text=link_text(grant), signature=sign_link(signer, grant))


@pytest.fixture
async def house(tmp_path: Path):
    store, clock = EngineStore.open(tmp_path), ManualClock()
    policy = AccessPolicy(engine_id="engine-1", owner_address=OWNER.address, claim_code="", trust="grants")
    access = AccessControl(policy, store, clock)
    await access.load()
    yield access, ShareLinks(access, "engine-1", clock), clock
    store.close()


async def test_a_link_gives_its_level_and_no_role(house: Any) -> None:
    access, links, _ = house
    assert links.admit(share()).role is Role.RUNNER
    assert links.admit(share(ShareLevel.VIEW)).role is Role.READER
    assert access.role_of(OTHER.address.lower()) is None
    with pytest.raises(FloworkError) as refused:
        links.admit(share(signer=OTHER))
    assert refused.value.code is ErrorCode.BAD_SIGNATURE


async def test_a_link_ends_by_time_or_by_a_higher_epoch(house: Any) -> None:
    access, links, clock = house
    until = share(exp=clock.now_ms() + 1000)
    assert links.still(until) is not None
    clock.advance(2)
    assert links.still(until) is None
    assert links.still(None) is None
    assert links.still(share()) is not None
    open_ended = Standing()
    assert open_ended.admit(OTHER.address.lower(), None, link=links.admit(share()).grant)
    assert access.ended(open_ended) is None
    newer = sign_grant(OWNER, Grant("engine-1", OTHER.address, Role.READER, 2, clock.now_ms() + 1000))
    await access.replace_guests({"addresses": [], "grants": [newer.as_wire()]})
    assert links.still(share()) is None
    told = access.ended(open_ended)
    assert told is not None
    assert told.code is ErrorCode.FORBIDDEN, "and who came by it is told no more"


async def test_an_engine_without_an_owner_has_no_links(tmp_path: Path) -> None:
    store, clock = EngineStore.open(tmp_path), ManualClock()
    try:
        policy = AccessPolicy(engine_id="engine-1", owner_address="", claim_code="", trust="list")
        with pytest.raises(FloworkError) as refused:
            ShareLinks(AccessControl(policy, store, clock), "engine-1", clock).admit(share())
    finally:
        store.close()
    assert refused.value.code is ErrorCode.FORBIDDEN


@pytest.mark.parametrize(
    ("level", "command", "payload", "allowed"),
    [
        (ShareLevel.VIEW, "load_preset", {"name": "Report"}, True),
        (ShareLevel.VIEW, "load_preset", {"name": "Report", "version": 1}, False),
        (ShareLevel.VIEW, "load_preset", {"name": "Other"}, False),
        (ShareLevel.VIEW, "load_preset", {}, False),
        (ShareLevel.VIEW, "execute_workflow", {"preset_name": "Report"}, False),
        (ShareLevel.RUN, "execute_workflow", {"preset_name": "Report", "workflow_data": None}, True),
        (ShareLevel.RUN, "execute_workflow", {"preset_name": "Report", "workflow_data": {}}, False),
        (ShareLevel.RUN, "execute_workflow", {"preset_name": ["Report"]}, False),
        (ShareLevel.RUN, "save_preset", {"name": "Report"}, False),
        (ShareLevel.RUN, "stop_workflow", {}, False),
        (ShareLevel.RUN, "stop_workflow", {"job_id": "a"}, True),
        (ShareLevel.EDIT, "save_preset", {"name": "Report"}, True),
        (ShareLevel.EDIT, "delete_preset", {"name": "Report"}, False),
        (ShareLevel.EDIT, "watch_preset", {"preset": "Report"}, True),
        (ShareLevel.EDIT, "watch_preset", {"preset": "Another"}, False),
        (ShareLevel.RUN, "watch_preset", {"preset": "Report"}, False),
        (ShareLevel.EDIT, "validate_workflow", {"workflow_data": {}}, True),
        (ShareLevel.EDIT, "request_components_list", {}, True),
        (ShareLevel.RUN, "request_components_list", {}, False),
        (ShareLevel.EDIT, "execute_standalone_node", {}, False),
        (ShareLevel.EDIT, "list_runs", {"job_id": "a"}, False),
        (ShareLevel.EDIT, "request_variables", {}, False),
    ],
)
def test_a_level_allows_what_it_says(
    level: ShareLevel, command: str, payload: dict[str, Any], allowed: bool
) -> None:
    if allowed:
        check_visit(level, "Report", command, payload)
        return
    with pytest.raises(FloworkError):
        check_visit(level, "Report", command, payload)


async def test_a_visit_is_of_the_one_preset_and_checked_at_each_command(house: Any) -> None:
    _, links, _ = house
    visit = links.admit(share(ShareLevel.VIEW))
    assert visit.preset == "Report"
    visit.check("load_preset", {"name": "Report"})
    with pytest.raises(FloworkError):
        visit.check("load_preset", {"name": "Other"})
