"""ENS names, looked up in a real registry on a real chain."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gateway.chain import names as module
from gateway.chain.names import Names, namehash
from gateway.chain.rpc import Node
from shared.clock import ManualClock
from shared.errors import ErrorCode, FloworkError
from shared.signing.keys import WalletKey
from tests.gateway.support import Gateway, in_process
from tests.support.evm import CHAIN_ID, EvmNode
from tests.support.evm_contracts import registry as registry_code


class Registry:
    """The registry on the chain, written to directly."""

    def __init__(self, node: EvmNode) -> None:
        self.node = node
        self.address = node.deploy(registry_code())

    def store(self, slot: int, value: bytes) -> None:
        data = f"0x00000000{slot:064x}{value.hex()}"
        sender = self.node.accounts[0].address
        self.node.call(
            "eth_sendTransaction", {"from": sender, "to": self.address, "data": data, "gas": hex(200_000)}
        )

    def point(self, name: str, address: str) -> None:
        self.store(int.from_bytes(namehash(name), "big"), bytes(12) + bytes.fromhex(address[2:]))

    def call_oneself(self, address: str, name: str) -> None:
        place = int.from_bytes(namehash(f"{address[2:].lower()}.addr.reverse"), "big")
        self.store(place + 1, len(name).to_bytes(32, "big"))
        self.store(place + 2, name.encode().ljust(32, b"\0"))


@pytest.fixture(scope="module")
def registry(evm: EvmNode) -> Registry:
    return Registry(evm)


@pytest.fixture(scope="module")
def named(evm: EvmNode, registry: Registry, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    environ = {
        "GATEWAY_RPC_URL": evm.url,
        "GATEWAY_RPC_CHAIN": str(CHAIN_ID),
        "GATEWAY_ENS_REGISTRY": registry.address,
    }
    with in_process(tmp_path_factory.mktemp("named"), **environ) as gateway:
        yield gateway


@pytest.fixture
def names(evm: EvmNode, registry: Registry, clock: ManualClock) -> Names:
    return Names(Node(evm.url), CHAIN_ID, registry.address, clock)


def test_the_hash_of_a_name_is_that_of_the_standard() -> None:
    known = "de9b09fd7c5f901e23a3f19fecc54828e9c848539801e86591bd9801b019f84f"
    assert namehash("foo.eth").hex() == known


def test_an_engine_is_shared_by_name(
    named: Gateway, registry: Registry, wallet: WalletKey, stranger: WalletKey
) -> None:
    registry.point("guest.eth", stranger.address)
    engine_id, _ = named.register_engine(wallet)
    path = f"/engines/{engine_id}/shares"
    added = named.call(wallet, "POST", path, {"share_with_identifier": "Guest.eth", "role": "runner"})
    assert (added.status_code, added.json()["share_id"]) == (201, stranger.address)
    assert [item["id"] for item in named.call(stranger, "GET", "/user/shared-engines").json()] == [engine_id]
    assert named.send("GET", "/api/v1/user/public/guest.eth").json()["address"] == stranger.address
    unknown = named.call(wallet, "POST", path, {"share_with_identifier": "nobody.eth"})
    assert (unknown.status_code, unknown.json()["code"]) == (404, "NOT_FOUND")
    assert named.call(stranger, "POST", path, {"share_with_identifier": "guest.eth"}).status_code == 404
    assert named.call(wallet, "DELETE", f"{path}/guest.eth").status_code == 200


def test_a_profile_shows_the_name_that_agrees(
    named: Gateway, registry: Registry, wallet: WalletKey, stranger: WalletKey
) -> None:
    registry.point("honest.eth", wallet.address)
    registry.call_oneself(wallet.address, "honest.eth")
    registry.call_oneself(stranger.address, "honest.eth")
    assert named.call(wallet, "GET", "/auth/profile").json()["username"] == "honest.eth"
    assert named.call(stranger, "GET", "/auth/profile").json()["username"].startswith("0x")


def test_nobody_takes_a_name_of_ens_here(local: Gateway, wallet: WalletKey) -> None:
    answer = local.call(wallet, "PUT", "/user/profile", {"name": "Vitalik.ETH"})
    assert (answer.status_code, answer.json()["code"]) == (409, "CONFLICT")


@pytest.mark.parametrize("name", ["gäst.eth", "guеst.eth", "a b.eth", ".eth", "x" * 64 + ".eth", "-a.eth"])  # noqa: RUF001
def test_names_of_other_letters_stand_for_nobody(names: Names, name: str) -> None:
    assert names.address_of(name) is None


def test_what_is_known_is_not_asked_again(
    names: Names, registry: Registry, wallet: WalletKey, stranger: WalletKey, clock: ManualClock
) -> None:
    registry.point("moving.eth", wallet.address)
    assert names.address_of("moving.eth") == wallet.address.lower()
    registry.point("moving.eth", stranger.address)
    assert names.address_of("moving.eth") == wallet.address.lower()
    clock.advance(module.KNOWN_SECONDS)
    assert names.address_of("moving.eth") == stranger.address.lower()


def test_a_node_that_is_away_is_left_alone_for_a_while(clock: ManualClock, registry: Registry) -> None:
    away = Names(Node("http://127.0.0.1:1", 0.5), CHAIN_ID, registry.address, clock)
    with pytest.raises(FloworkError) as error:
        away.address_of("a.eth")
    assert error.value.code is ErrorCode.ENGINE_UNAVAILABLE
    with pytest.raises(FloworkError, match="at the moment"):
        away.address_of("b.eth")
    assert away.name_of("0x" + "1" * 40) is None


def test_without_a_node_there_are_no_names(clock: ManualClock) -> None:
    none = Names(None, 1, "", clock)
    assert not none.reads("a.eth")
    assert none.name_of("0x" + "1" * 40) is None
