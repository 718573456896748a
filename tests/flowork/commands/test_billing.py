"""``flowork billing`` against a real gateway and a real chain."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from flowork.cli import cli
from tests.gateway.billing.conftest import Shop, chain, shop  # noqa: F401 - fixtures
from tests.gateway.conftest import evm  # noqa: F401 - a fixture


@pytest.fixture
def store() -> dict[str, str]:
    """What the environment says about the database: nothing."""
    return {}


@pytest.fixture
def run(shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):  # noqa: F811
    """Return the command line as the customer uses it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FLOWORK_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("FLOWORK_PRIVATE_KEY", shop.wallet.private_key_hex())
    monkeypatch.setenv("GATEWAY_URL", shop.gateway.url)

    def call(*words: str) -> Result:
        return CliRunner().invoke(cli, ["billing", *words])

    return call


def test_from_the_plans_to_the_invoice(run, shop: Shop, tmp_path: Path) -> None:  # noqa: F811
    plans = run("plans")
    assert plans.exit_code == 0, plans.output
    assert "* free" in plans.stdout
    assert "0.01 ETH or 12 USDX" in plans.stdout
    assert "Which" not in run("checkout", "pro").output
    quote = json.loads(run("checkout", "pro", "--asset", "USDX", "--json").stdout)
    tx = shop.chain.pay(shop.customer, quote)
    assert run("pay", tx).stdout.startswith("pending: Waiting for confirmations: 1 of 3.")
    shop.chain.confirm()
    paid = run("pay", tx, "--wait", "60")
    assert paid.exit_code == 0
    assert paid.stdout.startswith("ok: ")
    assert "* pro" in run("plans").stdout
    listed = run("invoices").stdout
    assert "pro" in listed
    saved = run("invoices", "--download", "1")
    assert saved.stdout.strip() == "invoice-1.pdf", saved.output
    assert (tmp_path / "invoice-1.pdf").read_bytes().startswith(b"%PDF")
    assert run("invoices", "--download", "2").exit_code == 66
    assert len(run("usage", "--days", "3").stdout.splitlines()) == 4


def test_a_quote_says_what_to_send(run, shop: Shop) -> None:  # noqa: F811
    shown = run("checkout", "pro", "--asset", "USDX").stdout
    for part in ("Send exactly 12.00", "USDX (token 0x", shop.recipient, shop.wallet.address, "before"):
        assert part in shown
    assert run("checkout", "gold").exit_code == 66
    assert run("checkout", "pro", "--chain", "5").exit_code == 65
    elsewhere = shop.chain.transfer(shop.customer, shop.wallet.address, 1)
    shop.chain.confirm()
    assert run("pay", elsewhere).exit_code == 1
