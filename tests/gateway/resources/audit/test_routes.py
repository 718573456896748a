"""The audit log over REST: whose events one sees, pages, and an export that shows every change."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.db.database import Database
from shared.errors import FloworkError
from shared.signing.audit_chain import verify_export
from shared.signing.keys import WalletKey
from tests.gateway.support import Gateway, engine, gui, in_process

ADMIN = WalletKey.create()[0]


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    with in_process(tmp_path, GATEWAY_ADMINS=ADMIN.address) as running:
        yield running


def events(gateway: Gateway, wallet: WalletKey, query: str = "") -> list[dict[str, Any]]:
    return gateway.call(wallet, "GET", f"/audit{query}").json()["events"]


def export(gateway: Gateway, wallet: WalletKey) -> list[bytes]:
    answer = gateway.call(wallet, "GET", "/audit/export")
    assert answer.headers["Content-Type"] == "application/x-ndjson"
    return answer.content.splitlines(keepends=True)


def change(gateway: Gateway, statement: str) -> None:
    database = Database(f"sqlite:///{gateway.folder / 'gateway' / 'gateway.db'}")
    with database.write() as connection:
        assert connection.exec_driver_sql(statement).rowcount
    database.close()


async def test_everybody_sees_what_concerns_them(
    gateway: Gateway, wallet: WalletKey, stranger: WalletKey
) -> None:
    engine_id, _ = gateway.register_engine(wallet)
    gateway.call(wallet, "POST", f"/user/engines/{engine_id}/reset-token")
    gateway.register_engine(stranger)
    async with gui(gateway, wallet) as page:
        await page.next("initial_engine_statuses")
    mine = events(gateway, wallet)
    assert [item["action"] for item in mine] == [
        "sign_in", "engine_reset_token", "engine_register", "register",
    ]  # fmt: skip
    assert {item["actor"] for item in mine} == {wallet.address.lower()}
    assert len(events(gateway, stranger)) == 2
    assert [item["seq"] for item in events(gateway, ADMIN)] == [6, 5, 4, 3, 2, 1]


async def test_a_refused_claim_is_an_event(gateway: Gateway, stranger: WalletKey) -> None:
    async with engine(gateway, gateway.bundled_id, gateway.bundled_token) as link:
        link.client.on("engine_claim", lambda _: {"accepted": False}, namespace="/engine-socket")
        import asyncio

        body = {"engine_id": gateway.bundled_id, "proof": "0" * 64}
        answer = await asyncio.to_thread(gateway.call, stranger, "POST", "/user/engines/claim", body)
    assert answer.status_code == 403
    assert events(gateway, stranger)[0]["action"] == "engine_claim_refused"


def test_pages(gateway: Gateway, wallet: WalletKey) -> None:
    for number in range(4):
        gateway.register_engine(wallet, f"n{number}")
    first = gateway.call(wallet, "GET", "/audit?limit=3").json()
    rest = gateway.call(wallet, "GET", f"/audit?limit=3&before={first['next']}").json()
    assert [item["seq"] for item in first["events"] + rest["events"]] == [5, 4, 3, 2, 1]
    assert rest["next"] is None
    for wrong in ("limit=0", "limit=201", "limit=x", "before=0", "before=-1"):
        assert gateway.call(wallet, "GET", f"/audit?{wrong}").status_code == 400, wrong


def test_an_export_can_be_checked_without_us(
    gateway: Gateway, wallet: WalletKey, stranger: WalletKey
) -> None:
    for each in (wallet, stranger, wallet):
        gateway.register_engine(each)
    full, own = verify_export(export(gateway, ADMIN)), verify_export(export(gateway, wallet))
    assert (full.scope, full.count, full.seq) == ("all", 5, 5)
    assert (own.scope, own.count, own.seq, own.head) == ("own", 3, 5, full.head)
    assert verify_export(export(gateway, WalletKey.create()[0])).count == 0


@pytest.mark.parametrize(
    ("statement", "line"),
    [
        ("UPDATE audit_log SET subject = 'x' WHERE seq = 2", 3),
        ("UPDATE audit_log SET at_ms = at_ms - 1 WHERE seq = 3", 4),
        ("DELETE FROM audit_log WHERE seq = 2", 3),
        ("DELETE FROM audit_log WHERE seq = 1", 2),
        ("DELETE FROM audit_log WHERE seq = 3", 4),
    ],
)
def test_a_log_that_was_changed_does_not_pass(
    gateway: Gateway, wallet: WalletKey, statement: str, line: int
) -> None:
    gateway.register_engine(wallet)
    gateway.register_engine(wallet)
    assert verify_export(export(gateway, ADMIN)).count == 3
    change(gateway, statement)
    with pytest.raises(FloworkError) as refused:
        verify_export(export(gateway, ADMIN))
    assert refused.value.details == {"line": line}


def test_an_entry_says_what_it_hashes(gateway: Gateway, wallet: WalletKey) -> None:
    gateway.register_engine(wallet)
    entry = json.loads(export(gateway, ADMIN)[1])
    assert set(entry) == {"type", "seq", "at_ms", "actor", "action", "subject", "prev", "hash"}
    assert entry["prev"] == "0" * 64
