"""Contract wallets sign in on a real chain; nobody else does, and nobody can make the node work without end."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from gateway.chain import wallets
from gateway.chain.rpc import Node
from gateway.chain.wallets import ContractWallets
from shared.clock import ManualClock
from shared.errors import ErrorCode, FloworkError
from shared.signing.keys import WalletKey, checksum_address
from shared.signing.rest import sign_headers
from tests.gateway.realtime.refusals import refused
from tests.gateway.support import Gateway, gui, in_process
from tests.support.evm import CHAIN_ID, EvmNode
from tests.support.evm_contracts import wallet as wallet_code

OWNER = WalletKey.from_hex("5" * 64)


@dataclass(frozen=True)
class Contract:
    """A contract wallet as a signer: its address, its owner's signatures, spelled with a tail as many wallets do."""

    address: str
    owner: WalletKey = OWNER
    tail: str = ""

    def sign_text(self, text: str) -> str:
        return self.owner.sign_text(text) + self.tail


@pytest.fixture(scope="module")
def safe(evm: EvmNode) -> Contract:
    return Contract(checksum_address(evm.deploy(wallet_code(OWNER.address)).lower()))


@pytest.fixture(scope="module")
def chained(evm: EvmNode, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    environ = {"GATEWAY_RPC_URL": evm.url, "GATEWAY_RPC_CHAIN": str(CHAIN_ID), "GATEWAY_ENS_REGISTRY": ""}
    with in_process(tmp_path_factory.mktemp("chained"), **environ) as gateway:
        yield gateway


@pytest.fixture
def judge(evm: EvmNode, clock: ManualClock) -> ContractWallets:
    return ContractWallets(Node(evm.url), CHAIN_ID, clock)


@pytest.mark.parametrize("tail", ["", "00" * 64])
def test_a_contract_wallet_signs_in(chained: Gateway, safe: Contract, tail: str) -> None:
    signer: Any = Contract(safe.address, OWNER, tail)
    assert chained.call(signer, "GET", "/auth/profile").json()["user_id"] == safe.address
    assert chained.documented(signer, "GET", "/auth/profile").status_code == 200
    body = json.dumps({"name": "x"}).encode()
    headers = sign_headers(signer, "POST", "/api/v1/user/engines", body, now_ms=chained.now())
    headers["Content-Type"] = "application/json"
    codes = [chained.send("POST", "/api/v1/user/engines", body, headers).status_code for _ in range(2)]
    assert codes == [201, 409]  # accepted once, like any other


async def test_a_contract_wallets_page_connects_and_reconnects(chained: Gateway, safe: Contract) -> None:
    signer: Any = safe
    auth = chained.gui_auth(signer)
    for _ in range(2):
        async with gui(chained, signer, auth=auth) as page:
            assert await page.next("initial_engine_statuses") is not None
    auth["headers"]["X-Signature"] = WalletKey.create()[0].sign_text(auth["headers"]["X-Signed-Message"])
    assert "Invalid signature" in (await refused(chained, "/gui-socket", auth))["message"]


@pytest.mark.parametrize("what", ["another owner", "no contract", "text without the address", "spelling"])
def test_what_no_contract_stands_behind_is_refused(
    chained: Gateway, safe: Contract, wallet: WalletKey, what: str
) -> None:
    address, key = safe.address, OWNER
    message = f"flowork_api_auth|{address}|{chained.now() // 1000}"
    if what == "another owner":
        key = wallet
    elif what == "no contract":
        address = wallet.address
        message = f"flowork_api_auth|{address}|{chained.now() // 1000}"
    elif what == "text without the address":
        message = f"some page|{chained.now() // 1000}"
    signature = key.sign_text(message)
    headers = {
        "X-User-Address": address,
        "X-Signed-Message": message,
        "X-Signature": f"{signature}0" if what == "spelling" else signature,
    }
    answer = chained.send("GET", "/api/v1/auth/profile", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "BAD_SIGNATURE")


def test_without_a_node_no_contract_signs_in(local: Gateway, safe: Contract) -> None:
    signer: Any = safe
    assert local.call(signer, "GET", "/auth/profile").json()["code"] == "BAD_SIGNATURE"


def test_a_node_that_is_away_or_on_another_chain_lets_nobody_in(
    evm: EvmNode, safe: Contract, clock: ManualClock
) -> None:
    text = f"x|{safe.address}|1"
    for node, chain_id in ((Node("http://127.0.0.1:1", 0.5), CHAIN_ID), (Node(evm.url), CHAIN_ID + 1)):
        judge = ContractWallets(node, chain_id, clock)
        with pytest.raises(FloworkError) as error:
            judge.stands_behind(safe.address, text, safe.sign_text(text), "1.2.3.4")
        assert error.value.code is ErrorCode.BAD_SIGNATURE


def test_calls_of_the_node_are_bounded(
    judge: ContractWallets, safe: Contract, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ask(number: int, peer: str = "1.2.3.4") -> bool:
        text = f"{number}|{safe.address}"
        return judge.stands_behind(safe.address, text, safe.sign_text(text), peer)

    monkeypatch.setattr(wallets, "PER_PEER", 3)
    assert [ask(1), ask(1), ask(1), ask(1), ask(2), ask(3)] == [True] * 6  # what is known costs nothing
    with pytest.raises(FloworkError) as error:
        ask(4)
    assert error.value.code is ErrorCode.RATE_LIMITED
    assert ask(4, "4.3.2.1")
    clock.advance(60)
    assert ask(5)
    monkeypatch.setattr(wallets, "IN_ALL", 1)
    with pytest.raises(FloworkError, match="Too many"):
        ask(6, "9.9.9.9")


def test_an_address_without_code_is_asked_for_once(
    judge: ContractWallets, wallet: WalletKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wallets, "PER_PEER", 1)
    for turn in range(5):
        assert not judge.stands_behind(wallet.address, f"{turn}|{wallet.address}", "0x00", "1.2.3.4")


def test_a_wrong_address_of_the_node_is_told_at_the_start(tmp_path) -> None:
    with (
        pytest.raises(FloworkError, match="GATEWAY_RPC_URL"),
        in_process(tmp_path, GATEWAY_RPC_URL="ftp://x"),
    ):
        pass


def test_long_headers_are_no_signature(chained: Gateway, safe: Contract) -> None:
    message = f"flowork_api_auth|{safe.address}|{chained.now() // 1000}"
    headers = {
        "X-User-Address": safe.address,
        "X-Signed-Message": message,
        "X-Signature": "0x" + "ab" * 2049,
    }
    answer = httpx.get(f"{chained.url}/api/v1/auth/profile", headers=headers)
    assert answer.status_code == 401
