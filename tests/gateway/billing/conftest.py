"""A gateway that is paid on a real chain, and wallets with coins and tokens there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gateway.billing.service import Billing
from gateway.db.opening import open_store
from shared.clock import SystemClock
from shared.signing.keys import WalletKey
from tests.gateway.support import Gateway, in_process, settings
from tests.support.databases import Databases
from tests.support.evm import CHAIN_ID, Account, EvmNode

CONFIRMATIONS = 3
ON_POSTGRESQL = {"test_payments", "test_reorganisation", "test_invoices", "test_removal"}
PRICES = {"ETH": "0.01", "USDX": "12"}


@dataclass(frozen=True)
class Chain:
    """The node with two tokens on it: one that is taken, one that is not."""

    node: EvmNode
    token: str
    foreign: str

    def send(
        self, sender: Account, to: str, value: int = 0, data: str = "0x", nonce: int | None = None
    ) -> str:
        """Send a transaction signed in this process; it is in a block when this returns."""
        return str(self.node.call("eth_sendRawTransaction", self.sign(sender, to, value, data, nonce)))

    def sign(self, sender: Account, to: str, value: int, data: str, nonce: int | None = None) -> str:
        from eth_account import Account as Signer
        from eth_utils.address import to_checksum_address

        count = int(self.node.call("eth_getTransactionCount", sender.address, "latest"), 16)
        fields = {
            "to": to_checksum_address(to), "value": value, "data": data, "gas": 200_000, "gasPrice": 3 * 10**9,
            "nonce": count if nonce is None else nonce, "chainId": CHAIN_ID,
        }  # fmt: skip
        return "0x" + Signer.sign_transaction(fields, sender.key).raw_transaction.hex().removeprefix("0x")

    def transfer(self, sender: Account, to: str, amount: int, token: str | None = None) -> str:
        return self.send(sender, token or self.token, data=transfer_data(to, amount))

    def pay(self, sender: Account, quote: dict[str, Any], change: int = 0) -> str:
        """Pay a quote, or something near it."""
        amount = int(quote["amount"]) + change
        if quote["contract"]:
            return self.transfer(sender, quote["recipient"], amount, quote["contract"])
        return self.send(sender, quote["recipient"], amount)

    def confirm(self, blocks: int = CONFIRMATIONS) -> None:
        self.node.mine(blocks)


def key_of(account: Account) -> WalletKey:
    return WalletKey(bytes.fromhex(account.key.removeprefix("0x")))


def transfer_data(to: str, amount: int) -> str:
    return "0xa9059cbb" + to[2:].lower().rjust(64, "0") + f"{amount:064x}"


@dataclass(frozen=True)
class Shop:
    """The gateway and a customer of it."""

    gateway: Gateway
    chain: Chain
    customer: Account
    wallet: WalletKey
    recipient: str
    environ: dict[str, str]

    def ask(self, method: str, path: str, body: Any = None, wallet: WalletKey | None = None) -> Any:
        answer = self.gateway.call(wallet or self.wallet, method, f"/billing{path}", body)
        assert answer.status_code in {200, 201}, answer.text
        return answer.json()

    def quote(self, asset: str = "USDX", plan: str = "pro", months: int = 1) -> dict[str, Any]:
        body = {"plan": plan, "months": months, "chain_id": CHAIN_ID, "asset": asset}
        return self.ask("POST", "/checkout", body)

    def submit(self, tx_hash: str, wallet: WalletKey | None = None) -> dict[str, Any]:
        return self.ask("POST", "/payments", {"tx_hash": tx_hash, "chain_id": CHAIN_ID}, wallet)

    def settle(self, tx_hash: str) -> dict[str, Any]:
        self.chain.confirm()
        return self.submit(tx_hash)

    def jobs(self) -> None:
        """Do the periodic work once."""
        assert self.gateway.app is not None
        self.gateway.app._scheduler.round()

    @contextmanager
    def billing(self) -> Iterator[Billing]:
        """Open billing on the gateway's database, as another process would."""
        given = settings(self.gateway.folder, **self.environ)
        database = open_store(given)
        try:
            yield Billing.open(given.billing, database, SystemClock())
        finally:
            database.close()

    def plan(self) -> str:
        return self.ask("GET", "/subscription")["plan"]

    def expires(self) -> str:
        return self.ask("GET", "/subscription")["expires_at"]

    def credit(self, asset: str = "USDX") -> int:
        found = self.ask("GET", "/credits")["balances"]
        return sum(int(item["amount"]) for item in found if item["asset"] == asset)

    def invoices(self) -> list[dict[str, Any]]:
        return self.ask("GET", "/invoices")


@pytest.fixture(scope="session")
def chain(evm: EvmNode) -> Chain:
    made = Chain(evm, evm.deploy_token(), evm.deploy_token())
    for account in evm.accounts[1:]:
        for token in (made.token, made.foreign):
            made.transfer(evm.accounts[0], account.address, 10**12, token)
    return made


def plans_file(folder: Path, **limits: int | None) -> Path:
    """Write plans: a free one, and two that cost something."""
    none = dict.fromkeys(("engines", "shares", "relay_messages_per_day", "share_retention_days"))
    dearer = {"ETH": "0.03", "USDX": "45.5"}
    plans = [
        {
            "id": "free",
            "name": "Free",
            "description": "",
            "limits": none | {"engines": 1} | limits,
            "prices": {},
        },
        {"id": "pro", "name": "Pro", "description": "", "limits": none | {"engines": 2}, "prices": PRICES},
        {"id": "team", "name": "Team", "description": "", "limits": none, "prices": dearer},
    ]
    path = folder / "plans.json"
    path.write_text(json.dumps({"plans": plans}))
    return path


def chains_file(folder: Path, chain: Chain, recipient: str) -> Path:
    path = folder / "chains.json"
    assets = [
        {"symbol": "ETH", "decimals": 18},
        {"symbol": "USDX", "decimals": 6, "contract": chain.token},
    ]
    entry = {
        "chain_id": CHAIN_ID, "name": "Test", "rpc_url": chain.node.url, "recipient": recipient,
        "confirmations": CONFIRMATIONS, "assets": assets,
    }  # fmt: skip
    path.write_text(json.dumps({"chains": [entry]}))
    return path


def shop_settings(folder: Path, chain: Chain, recipient: str) -> dict[str, str]:
    return {
        "GATEWAY_BILLING": "true",
        "GATEWAY_PLANS": str(plans_file(folder)),
        "GATEWAY_CHAINS": str(chains_file(folder, chain, recipient)),
        "GATEWAY_JOBS_SECONDS": "3600",
    }


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Try what changes money on PostgreSQL too."""
    if "store" in metafunc.fixturenames:
        both = metafunc.module.__name__.rpartition(".")[2] in ON_POSTGRESQL
        metafunc.parametrize("store", ["sqlite", "postgresql"] if both else ["sqlite"], indirect=True)


@pytest.fixture
def store(request: pytest.FixtureRequest) -> dict[str, str]:
    """What the environment says about the database."""
    if request.param == "sqlite":
        return {}
    databases: Databases = request.getfixturevalue("postgres")
    return {"DATABASE_URL": databases.create_migrated()}


@pytest.fixture
def shop(tmp_path: Path, chain: Chain, store: dict[str, str]) -> Iterator[Shop]:
    recipient = WalletKey.create()[0].address
    customer = chain.node.accounts[1]
    environ = shop_settings(tmp_path, chain, recipient) | store
    with in_process(tmp_path, **environ) as gateway:
        yield Shop(gateway, chain, customer, key_of(customer), recipient, environ)
