"""Claiming a bundled engine: the engine judges, the gateway records."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from shared.contract.engine import EngineClaim
from shared.signing.claims import claim_proof, verify_claim
from shared.signing.keys import WalletKey
from tests.gateway.support import Gateway, Peer, engine, gui, in_process

CODE = "a-claim-code-of-128-bits"


@pytest.fixture
def fresh(tmp_path: Path):
    with in_process(tmp_path) as gateway:
        yield gateway


async def claim(
    gateway: Gateway, wallet: WalletKey, code: str = CODE, engine_id: str = "eng-bundled"
) -> httpx.Response:
    body = {"engine_id": engine_id, "proof": claim_proof(code, wallet.address, engine_id)}
    return await asyncio.to_thread(gateway.call, wallet, "POST", "/user/engines/claim", body)


def judge(link: Peer, asked: list[EngineClaim], answer: Any = None) -> None:
    """Let an engine answer claims as a real one does, or with a given answer."""

    async def verdict(data: dict[str, Any]) -> Any:
        request = EngineClaim.model_validate(data)
        asked.append(request)
        accepted = verify_claim(CODE, request.address, "eng-bundled", request.proof)
        return (
            {"accepted": accepted, "error": None if accepted else "wrong code"} if answer is None else answer
        )

    link.client.on("engine_claim", verdict, namespace="/engine-socket")


async def test_the_first_to_prove_the_code_becomes_owner(
    fresh: Gateway, wallet: WalletKey, stranger: WalletKey
) -> None:
    asked: list[EngineClaim] = []
    async with gui(fresh, wallet) as page, engine(fresh, fresh.bundled_id, fresh.bundled_token) as link:
        judge(link, asked)
        answer = await claim(fresh, wallet)
        assert answer.status_code == 200, answer.text
        assert answer.json() == {
            "id": "eng-bundled",
            "name": "My engine",
            "status": "online",
            "owner": wallet.address,
        }
        assert asked[0].address == wallet.address
        assert await page.next("engine_status_update", engine_id="eng-bundled", status="online")
        assert fresh.engine(wallet, "eng-bundled")["status"] == "online"
        again = await claim(fresh, wallet)
        assert (again.status_code, again.json()["code"]) == (409, "CONFLICT")
        theirs = await claim(fresh, stranger)
        assert (theirs.status_code, theirs.json()["code"]) == (404, "NOT_FOUND")
    assert len(asked) == 1


async def test_a_refused_proof_changes_nothing(fresh: Gateway, wallet: WalletKey) -> None:
    async with engine(fresh, fresh.bundled_id, fresh.bundled_token) as link:
        judge(link, [])
        answer = await claim(fresh, wallet, code="guessed")
        assert (answer.status_code, answer.json()["code"]) == (403, "FORBIDDEN")
        assert fresh.call(wallet, "GET", "/user/engines").json() == []
        assert (await claim(fresh, wallet)).status_code == 200


async def test_an_engine_that_is_away_cannot_be_claimed(fresh: Gateway, wallet: WalletKey) -> None:
    answer = await claim(fresh, wallet)
    assert (answer.status_code, answer.json()["code"]) == (503, "ENGINE_UNAVAILABLE")
    assert int(answer.headers["Retry-After"]) > 0


async def test_an_unknown_engine_cannot_be_claimed(fresh: Gateway, wallet: WalletKey) -> None:
    assert (await claim(fresh, wallet, engine_id="eng-other")).status_code == 404


@pytest.mark.parametrize("answer", ["yes", {"accepted": "perhaps"}, {}, [True]])
async def test_an_unintelligible_verdict_is_none(fresh: Gateway, wallet: WalletKey, answer: Any) -> None:
    async with engine(fresh, fresh.bundled_id, fresh.bundled_token) as link:
        judge(link, [], answer)
        refused = await claim(fresh, wallet)
        assert (refused.status_code, refused.json()["code"]) == (503, "ENGINE_UNAVAILABLE")
    assert fresh.call(wallet, "GET", "/user/engines").json() == []


async def test_an_engine_that_leaves_while_it_is_asked_ends_the_wait(
    fresh: Gateway, wallet: WalletKey
) -> None:
    async with engine(fresh, fresh.bundled_id, fresh.bundled_token) as link:
        asked = asyncio.Event()

        async def vanish(_data: Any) -> Any:
            asked.set()
            await asyncio.sleep(300)

        link.client.on("engine_claim", vanish, namespace="/engine-socket")
        waiting = asyncio.create_task(claim(fresh, wallet))
        await asyncio.wait_for(asked.wait(), 30)
        await link.close()
        answer = await asyncio.wait_for(waiting, 60)
    assert (answer.status_code, answer.json()["code"]) == (503, "ENGINE_UNAVAILABLE")


async def test_one_claim_at_a_time(fresh: Gateway, wallet: WalletKey, stranger: WalletKey) -> None:
    async with engine(fresh, fresh.bundled_id, fresh.bundled_token) as link:
        asked, go_on = asyncio.Event(), asyncio.Event()

        async def slow(_data: Any) -> Any:
            asked.set()
            await go_on.wait()
            return {"accepted": True}

        link.client.on("engine_claim", slow, namespace="/engine-socket")
        first = asyncio.create_task(claim(fresh, wallet))
        await asyncio.wait_for(asked.wait(), 5)
        second = await claim(fresh, stranger)
        go_on.set()
        assert (await first).status_code == 200
    assert (second.status_code, second.json()["code"]) == (429, "RATE_LIMITED")


@pytest.mark.parametrize(
    "body",
    [
        {"engine_id": "eng-bundled"},
        {"engine_id": "eng-bundled", "proof": "A" * 64},
        {"engine_id": "../x", "proof": "0" * 64},
        {"engine_id": "eng-bundled", "proof": "0" * 64 + "\n"},
    ],
)
def test_a_claim_has_its_shape(local: Gateway, wallet: WalletKey, body: dict[str, str]) -> None:
    answer = local.call(wallet, "POST", "/user/engines/claim", body)
    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_REQUEST")
