"""Session keys over HTTP and Socket.IO: one signature of the wallet, and where it is asked again."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import urlsplit

from shared.clock import ManualClock
from shared.signing.delegation import ANY_ENGINE, DelegationOffer, SignedDelegation, sign_delegation
from shared.signing.keys import WalletKey
from shared.signing.rest import sign_headers
from tests.gateway.realtime.refusals import refused
from tests.gateway.support import Gateway, engine, gui


class Page:
    """A page that a wallet lets act for it, with a key of its own."""

    def __init__(
        self, gateway: Gateway, wallet: WalletKey, *, domain: str = "", scopes: str = "read run"
    ) -> None:
        self._gateway = gateway
        self._key = WalletKey.create()[0]
        self.address = wallet.address
        now, name = gateway.now(), domain or urlsplit(gateway.url).netloc
        offer = DelegationOffer(name, f"http://{name}", 1, "0123456789abcdef")
        self._word = sign_delegation(
            wallet, offer, self._key.address,
            engines=[ANY_ENGINE], scopes=scopes.split(), issued_ms=now, expires_ms=now + 3_600_000,
        )  # fmt: skip

    def sign_text(self, text: str) -> str:
        return self._key.sign_text(text)

    @property
    def word(self) -> dict[str, str]:
        return brought(self._word)

    def ask(self, method: str, path: str, body: Any = None) -> int:
        target, content = f"/api/v1{path}", b"" if body is None else json.dumps(body).encode()
        headers = sign_headers(self, method, target, content, now_ms=self._gateway.now())  # type: ignore[arg-type]
        if body is not None:
            headers["Content-Type"] = "application/json"
        return self._gateway.send(method, target, content, headers | self.word).status_code


def brought(word: SignedDelegation) -> dict[str, str]:
    text = base64.urlsafe_b64encode(word.message.encode()).decode().rstrip("=")
    return {"X-Delegation": text, "X-Delegation-Signature": word.signature}


def test_a_session_key_reads_and_the_wallet_is_asked_for_what_lasts(
    local: Gateway, wallet: WalletKey
) -> None:
    page = Page(local, wallet)
    assert page.ask("GET", "/auth/profile") == 200
    assert page.ask("GET", "/user/engines") == 200
    assert page.ask("PUT", "/user/state/favorite_presets", ["One"]) == 200
    assert page.ask("POST", "/user/engines", {"name": "Mine"}) == 403
    assert page.ask("DELETE", "/user/account", {"confirm": wallet.address}) == 403
    assert local.call(wallet, "GET", "/user/engines").json() == []


def test_a_session_key_stays_within_its_scopes(local: Gateway, wallet: WalletKey) -> None:
    assert Page(local, wallet, scopes="run").ask("GET", "/auth/profile") == 403


def test_what_a_foreign_page_had_signed_opens_nothing(local: Gateway, wallet: WalletKey) -> None:
    assert Page(local, wallet, domain="evil.example").ask("GET", "/auth/profile") == 401


def proof(gateway: Gateway, page: Page) -> dict[str, Any]:
    text = f"flowork_socket_auth|{page.address}|{gateway.now() // 1000}"
    given = {"X-User-Address": page.address, "X-Signed-Message": text, "X-Signature": page.sign_text(text)}
    return {"headers": given | page.word}


async def test_a_page_connects_with_its_session_key(local: Gateway, wallet: WalletKey) -> None:
    async with gui(local, wallet, auth=proof(local, Page(local, wallet))) as peer:
        assert await peer.next("initial_engine_statuses") == []


async def test_a21_a_page_hears_of_no_engine_after_the_end_of_its_delegation(
    timed: Gateway, clock: ManualClock, wallet: WalletKey
) -> None:
    engine_id, token = timed.register_engine(wallet)
    auth = proof(timed, Page(timed, wallet))
    async with gui(timed, wallet, auth=auth) as page, gui(timed, wallet) as of_wallet:
        await page.next("initial_engine_statuses")
        clock.advance(3600)
        assert (await page.next("error"))["code"] == "STALE"
        await page.wait_closed()
        async with engine(timed, engine_id, token):
            await of_wallet.next("engine_status_update", engine_id=engine_id, status="online")
        assert page.seen == []
        assert not of_wallet.closed.is_set()
    assert (await refused(timed, "/gui-socket", auth))["data"] == {"code": "STALE"}
