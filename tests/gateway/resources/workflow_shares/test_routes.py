"""Share links over HTTP; who gets in by one is tried in `tests/e2e/test_sharing.py`."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from contextlib import asynccontextmanager
from typing import Any

import pytest

from shared.clock import ManualClock
from shared.signing.keys import WalletKey
from tests.gateway.support import Gateway, Peer, engine, in_process

PATH = "/workflows/My%20report/shares"


def answer_presets(link: Peer, *names: str) -> None:
    """Let an engine answer whether a preset exists, as a real one does."""

    async def on_request(data: dict[str, Any]) -> dict[str, Any]:
        exists = data["path"] in {f"/api/v1/presets/{name}/exists" for name in names}
        body = base64.b64encode(json.dumps({"exists": exists}).encode()).decode()
        return {"status": 200, "body": body}

    link.client.on("engine_request", on_request, namespace="/engine-socket")


@asynccontextmanager
async def shared(gateway: Gateway, wallet: WalletKey) -> Any:
    engine_id, token = await asyncio.to_thread(gateway.register_engine, wallet)
    async with engine(gateway, engine_id, token) as link:
        answer_presets(link, "My%20report")
        yield engine_id


async def call(gateway: Gateway, wallet: WalletKey, method: str, path: str, body: Any = None) -> Any:
    return await asyncio.to_thread(gateway.call, wallet, method, path, body)


async def test_a_link_is_made_listed_resolved_and_ended(
    timed: Gateway, wallet: WalletKey, clock: ManualClock
) -> None:
    async with shared(timed, wallet) as engine_id:
        made = await call(timed, wallet, "POST", PATH, {"permission_level": "view-run", "link_name": "Team"})
        assert made.status_code == 201, made.text
        first = made.json()
        assert len(first["share_token"]) == 32
        assert first["share_url"] == f"{timed.url}/shared/{first['share_token']}"
        clock.advance(1)
        second = (await call(timed, wallet, "POST", PATH, {})).json()
        assert second["permission_level"] == "view"
        rows = (await call(timed, wallet, "GET", PATH)).json()
        assert [row["share_id"] for row in rows] == [second["share_id"], first["share_id"]]
        assert rows[1] == {name: value for name, value in first.items() if name != "message"}
        resolved = timed.send("GET", f"/api/v1/workflow-shares/resolve/{first['share_token']}").json()
        assert resolved == {
            "permission_level": "view-run", "workflow_name": "Team", "preset_name": "My report",
            "owner_username": None, "owner_id": wallet.address, "engine_id": engine_id, "online": True,
            "expires_at": None,
        }  # fmt: skip
        gone = await call(timed, wallet, "DELETE", f"/workflow-shares/{first['share_id']}")
        assert gone.json()["status"] == "success"
        token = f"/api/v1/workflow-shares/resolve/{first['share_token']}"
        assert timed.send("GET", token).status_code == 404


async def test_tokens_stand_in_no_table(timed: Gateway, wallet: WalletKey) -> None:
    async with shared(timed, wallet):
        made = (await call(timed, wallet, "POST", PATH, {})).json()
    token = made["share_token"]
    for file in (timed.folder / "gateway").iterdir():
        assert token.encode() not in file.read_bytes()
    with timed.app._database.read() as connection:
        kept = connection.exec_driver_sql("SELECT token_hash FROM workflow_shares").scalar()
    assert kept == hashlib.sha256(token.encode()).hexdigest()
    assert (timed.folder / "gateway" / "share.key").stat().st_mode & 0o077 == 0


async def test_a_link_expires(timed: Gateway, wallet: WalletKey, clock: ManualClock) -> None:
    async with shared(timed, wallet):
        past = await call(timed, wallet, "POST", PATH, {"expires_at": "2020-01-01T00:00:00Z"})
        assert past.status_code == 400
        assert (
            await call(timed, wallet, "POST", PATH, {"expires_at": "2023-11-15T00:00:00"})
        ).status_code == 400
        ends = {"expires_at": "2023-11-15T00:00:00+00:00"}
        made = (await call(timed, wallet, "POST", PATH, ends)).json()
        assert made["expires_at"] == "2023-11-15T00:00:00.000Z"
        path = f"/api/v1/workflow-shares/resolve/{made['share_token']}"
        assert timed.send("GET", path).status_code == 200
        clock.advance(2 * 60 * 60)
        assert timed.send("GET", path).status_code == 404


async def test_a_workflow_that_is_not_there_has_no_links(timed: Gateway, wallet: WalletKey) -> None:
    away = await call(timed, wallet, "GET", PATH)
    assert (away.status_code, away.json()["code"]) == (503, "ENGINE_UNAVAILABLE")
    async with shared(timed, wallet):
        for method in ("GET", "POST"):
            body = {} if method == "POST" else None
            assert (await call(timed, wallet, method, "/workflows/Other/shares", body)).status_code == 404


async def test_only_the_owner_makes_changes_and_sees_links(
    timed: Gateway, wallet: WalletKey, stranger: WalletKey
) -> None:
    async with shared(timed, wallet) as engine_id:
        made = (await call(timed, wallet, "POST", PATH, {})).json()
        body = {"user_id": stranger.address, "role": "admin"}
        await call(timed, wallet, "POST", f"/engines/{engine_id}/shares", body)
        assert (await call(timed, stranger, "POST", PATH, {})).status_code == 403
        path = f"/workflow-shares/{made['share_id']}"
        assert (await call(timed, stranger, "PUT", path, {"permission_level": "view-run"})).status_code == 404
        assert (await call(timed, stranger, "DELETE", path)).status_code == 404


@pytest.mark.parametrize(
    ("given", "level"),
    [("read", "view"), ("read_write", "view-edit-run"), ("view-edit-run", "view-edit-run")],
)
async def test_old_names_of_levels_are_understood(
    timed: Gateway, wallet: WalletKey, given: str, level: str
) -> None:
    async with shared(timed, wallet):
        made = (await call(timed, wallet, "POST", PATH, {"permission_level": given})).json()
        assert made["permission_level"] == level
        assert (await call(timed, wallet, "POST", PATH, {"permission_level": "own"})).status_code == 400


async def test_a_change_of_level_ends_the_signature(
    timed: Gateway, wallet: WalletKey, stranger: WalletKey
) -> None:
    async with shared(timed, wallet):
        made = (await call(timed, wallet, "POST", PATH, {})).json()
        path, text = f"/workflow-shares/{made['share_id']}", made["grant_text"]

        async def change(**body: Any) -> Any:
            return await call(timed, wallet, "PUT", path, body)

        theirs = {"text": text, "signature": stranger.sign_text(text)}
        assert (await change(grant=theirs)).json()["code"] == "BAD_SIGNATURE"
        signed = {"text": text, "signature": wallet.sign_text(text)}
        assert (await change(grant=signed)).json()["needs_grant"] is False
        changed = (await change(permission_level="view-run")).json()
        assert (changed["permission_level"], changed["needs_grant"]) == ("view-run", True)
        assert (await change(grant=signed)).json()["code"] == "INVALID_REQUEST", "it says view"


async def test_links_lead_to_the_public_address(tmp_path, wallet: WalletKey) -> None:
    with in_process(tmp_path, GATEWAY_PUBLIC_URL="https://flow.example.org") as gateway:
        async with shared(gateway, wallet):
            made = (await call(gateway, wallet, "POST", PATH, {})).json()
    assert made["share_url"] == f"https://flow.example.org/shared/{made['share_token']}"
