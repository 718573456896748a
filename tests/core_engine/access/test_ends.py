"""What an open connection is told beyond the end of the right by which it was told: nothing, whichever way it came."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from core_engine.app import Engine, running
from core_engine.fronts.records import (
    Admitted,
    Done,
    End,
    Events,
    Followed,
    Renew,
    Speaker,
    command_of,
    encode,
)
from shared.clock import SystemClock
from shared.contract.base import Role
from shared.contract.share_link import RelayShare, ShareLevel
from shared.signing.delegation import DelegationOffer, sign_delegation
from shared.signing.envelope import EnvelopeVerifier, seal
from shared.signing.grants import Grant, sign_grant
from shared.signing.keys import WalletKey
from shared.signing.link_grants import LinkGrant, hash_link_token, link_text, sign_link
from shared.signing.presets import sign_preset
from shared.signing.replay import UncheckedReplays
from shared.signing.standing import StandingDelegations
from shared.signing.texts import new_nonce
from tests.core_engine.engine import (
    ADMIN,
    ENGINE_ID,
    OWNER,
    STRANGER,
    Talker,
    chain,
    settings,
    talker,
    waiting,
)
from tests.core_engine.fronts.test_desk import FarFront
from tests.core_engine.gateway_link.test_relay import Gateway, signed_in

PAGE = "app.example"
TOKEN = "t" * 32
HOUR = 3_600_000


class Stepped(SystemClock):
    """The machine's clock, ahead of itself by what a test says."""

    ahead_ms = 0

    def now_ms(self) -> int:
        return super().now_ms() + self.ahead_ms


CLOCK = Stepped()


class Session:
    """A key that may act for a wallet for an hour."""

    def __init__(self, wallet: WalletKey = OWNER) -> None:
        self.key = WalletKey.create()[0]
        now = CLOCK.now_ms()
        self.delegation = sign_delegation(
            wallet, DelegationOffer(PAGE, f"https://{PAGE}", 1, new_nonce()), self.key.address,
            engines=[ENGINE_ID], scopes=["read", "run", "admin"], issued_ms=now, expires_ms=now + HOUR,
        )  # fmt: skip

    def sealed(self, kind: str, **fields: Any) -> str:
        payload = {"type": kind, **fields}
        return seal(self.key, ENGINE_ID, payload, now_ms=CLOCK.now_ms(), delegation=self.delegation)


@asynccontextmanager
async def house(folder: Path) -> AsyncIterator[Engine]:
    CLOCK.ahead_ms = 0
    given = settings(folder, ENGINE_ALLOWED_ORIGINS=f"https://{PAGE}")
    async with running(given, clock=CLOCK) as made:
        yield made


async def starts(page: Talker, session: Session, job_id: str) -> None:
    await page.socket.send(session.sealed("execute_workflow", job_id=job_id, workflow_data=waiting()))
    await page.until(lambda frame: frame["type"] == "workflow_status_update")


def own(kind: str, **fields: Any) -> str:
    return seal(OWNER, ENGINE_ID, {"type": kind, **fields}, now_ms=CLOCK.now_ms())


async def test_a21_a_connection_ends_with_the_delegation_of_its_session_key(tmp_path: Path) -> None:
    async with house(tmp_path) as of, talker(of) as page, talker(of) as wallet:
        await starts(page, Session(), "job")
        await wallet.socket.send(own("subscribe_run", job_id="job"))
        await wallet.until(lambda frame: frame["type"] == "run_subscribed")
        CLOCK.ahead_ms = HOUR
        assert await page.closed() == (1008, "The delegation has expired; sign a new one with the wallet.")
        await wallet.socket.send(own("stop_workflow", job_id="job"))
        assert (await wallet.finish("job"))["status_data"]["status"] == "STOPPED"


async def test_a21_whom_the_wallet_itself_or_a_later_delegation_speaks_for_stays(tmp_path: Path) -> None:
    async with house(tmp_path) as of, talker(of) as ends, talker(of) as wallet, talker(of) as renewed:
        first = Session()
        for number, page in enumerate((ends, wallet, renewed)):
            await starts(page, first, f"job-{number}")
        await wallet.socket.send(own("list_runs"))
        await wallet.until(lambda frame: frame["type"] == "runs_list_response")
        CLOCK.ahead_ms = HOUR - 10_000
        await renewed.socket.send(Session().sealed("list_runs"))
        await renewed.until(lambda frame: frame["type"] == "runs_list_response")
        CLOCK.ahead_ms = HOUR
        assert (await ends.closed())[0] == 1008
        for number, page in ((1, wallet), (2, renewed)):
            await of.runs.stop(f"job-{number}", OWNER.address.lower())
            assert (await page.finish(f"job-{number}"))["status_data"]["status"] == "STOPPED"


async def test_a21_a_page_behind_the_gateway_is_told_that_its_delegation_ended_and_no_more(
    tmp_path: Path,
) -> None:
    async with house(tmp_path) as of, talker(of) as owner:
        workflow, session = chain(1), Session()
        signature = sign_preset(OWNER, workflow)
        await owner.ask("save_preset", name="Report", workflow_data=workflow, signature=signature)
        page = Gateway(of)
        of.relay.connected(page.send)
        for kind, fields in (
            ("execute_workflow", {"job_id": "job", "workflow_data": waiting()}),
            ("watch_preset", {"preset": "Report"}),
        ):
            await page.command(kind, envelope=session.sealed(kind, **fields))
        await page.next("WORKFLOW_EXECUTION_UPDATE")
        await page.next("PRESET_COMPANY")
        CLOCK.ahead_ms = HOUR
        assert (await page.next("error"))["details"] == {"ended": "delegation"}
        told = len(page.told)
        await of.runs.stop("job", OWNER.address.lower())
        await of.rooms.company.preset_changed("Report", workflow, "")
        await page.command("list_runs", envelope=Session().sealed("list_runs"))
        await page.next("runs_list_response")
        assert [event for event, _ in page.told[told:]] == ["runs_list_response"]


def passed_on(front: FarFront, client: int, sealed: str) -> None:
    """Have a front pass a message on whose proof it has checked."""
    sessions = StandingDelegations(lambda name: name == PAGE, engine_id=ENGINE_ID)
    verifier = EnvelopeVerifier(ENGINE_ID, "documented", UncheckedReplays(), sessions=sessions)
    front.number += 1
    front.channel.post(encode(command_of(client, front.number, verifier.open(sealed, CLOCK.now_ms()))))


async def ended(front: FarFront) -> tuple[End, list[Events]]:
    """Play the watch of the engine, which knows only its own desk, until a connection is ended."""

    async def look() -> None:
        while True:
            for client in list(front.reception.clients.values()):
                client.enforce_access()
            await asyncio.sleep(0.01)

    looking = asyncio.create_task(look())
    try:
        return await front.until(End)
    finally:
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)


async def test_a21_a_client_of_a_front_ends_too_also_where_another_process_leads_by_then(
    tmp_path: Path,
) -> None:
    async with house(tmp_path) as of:
        front, address = FarFront(of), OWNER.address.lower()
        session = Session()
        passed_on(front, 1, session.sealed("execute_workflow", job_id="job", workflow_data=waiting()))
        admitted, _ = await front.until(Admitted)
        assert [speaker.address for speaker in admitted.speakers] == [address]
        await front.until(Done)
        until_ms = admitted.speakers[0].until_ms
        assert until_ms is not None
        assert abs(until_ms - CLOCK.now_ms() - HOUR) < 60_000
        later = Speaker(address, until_ms + HOUR)
        front.channel.post(encode(Renew(2, [later], [Followed("job", 1, children=False)])))
        CLOCK.ahead_ms = HOUR
        end, _ = await ended(front)
        assert (end.client, end.code) == (1, 1008)
        second = FarFront(of)
        second.channel.post(encode(Renew(7, admitted.speakers, [Followed("job", 0, children=False)])))
        end, events = await second.until(End)
        assert (end.client, end.code, events) == (7, 1008, [])
        await of.runs.stop("job", address)
        events = (await front.until(Events))[0]
        assert events.client == 2, "whose delegation lasts longer"
        for made in (front, second):
            made.task.cancel()
            await asyncio.gather(made.task, return_exceptions=True)
            await made.reception.close()


async def test_a21_a_front_hears_when_the_wallet_itself_speaks(tmp_path: Path) -> None:
    async with house(tmp_path) as of:
        front = FarFront(of)
        passed_on(front, 1, Session().sealed("list_runs"))
        assert (await front.until(Admitted))[0].speakers[0].until_ms is not None
        front.send(1, "list_runs")
        assert (await front.until(Admitted))[0].speakers == [Speaker(OWNER.address.lower())]
        front.task.cancel()
        await asyncio.gather(front.task, return_exceptions=True)
        await front.reception.close()


async def guests(of: Engine, *grants: Grant) -> None:
    signed = [sign_grant(OWNER, grant).as_wire() for grant in grants]
    await of.access.replace_guests({"addresses": [OWNER.address, ADMIN.address], "grants": signed})


async def test_a_guest_who_may_do_less_from_now_on_is_told_no_more_of_runs_of_others(tmp_path: Path) -> None:
    """A guest that stays on the list is still a reader, whose connection nothing else would end."""
    async with (
        house(tmp_path) as of,
        talker(of, ADMIN) as guest,
        talker(of, ADMIN) as other,
        talker(of) as owner,
    ):
        exp = CLOCK.now_ms() + HOUR
        await guests(of, Grant(ENGINE_ID, ADMIN.address, Role.ADMIN, 1, exp))
        await owner.ask("execute_workflow", job_id="job", workflow_data=waiting())
        await guest.ask("subscribe_run", job_id="job")
        await guests(of)
        assert await guest.closed() == (1008, "Access revoked")
        # as what he is now he may stay
        assert (await other.ask("list_runs"))["type"] == "runs_list_response"
        assert (await other.ask("subscribe_run", job_id="job"))["code"] == "NOT_FOUND"
        await guests(of, Grant(ENGINE_ID, ADMIN.address, Role.ADMIN, 2, exp))
        assert (await other.ask("subscribe_run", job_id="job"))["type"] == "run_subscribed"
        CLOCK.ahead_ms = HOUR
        assert await other.closed() == (1008, "Access revoked"), "a grant ends with time as well"


async def test_a_visitor_is_told_no_more_of_his_run_once_the_link_has_expired(tmp_path: Path) -> None:
    async with house(tmp_path) as of, talker(of) as owner:
        workflow = waiting()
        signature = sign_preset(OWNER, workflow)
        await owner.ask("save_preset", name="Report", workflow_data=workflow, signature=signature)
        link = LinkGrant(
            ENGINE_ID, "Report", ShareLevel.RUN, hash_link_token(TOKEN), 1, CLOCK.now_ms() + HOUR
        )
        share = RelayShare(token=TOKEN, text=link_text(link), signature=sign_link(OWNER, link)).model_dump()
        page = Gateway(of, STRANGER)
        of.relay.connected(page.send)
        payload = json.dumps({"job_id": "job", "preset_name": "Report"})
        frame = {"session": page.label, "auth": signed_in(STRANGER), "share": share}
        await of.relay.handlers["relay_command"](frame | {"event": "execute_workflow", "payload": payload})
        await page.next("WORKFLOW_EXECUTION_UPDATE")
        CLOCK.ahead_ms = HOUR
        assert (await page.next("error"))["details"] == {"ended": "link"}
        told = len(page.told)
        await of.runs.stop("job", OWNER.address.lower())
        again = {"event": "get_run", "payload": json.dumps({"job_id": "job"})}
        await of.relay.handlers["relay_command"](frame | again)
        async with page._news, asyncio.timeout(10):
            await page._news.wait_for(lambda: len(page.told) > told)
        assert [event for event, _ in page.told[told:]] == ["error"]
