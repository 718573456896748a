"""Z3: schemathesis with two users: whatever the one asks about the other's objects, she learns and changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings

from shared.signing.keys import WalletKey
from tests.gateway.support import Gateway, in_process
from tests.gateway.test_contract import CHECKS, SCHEMA, Caller

CASES = 2
MARK = "bobs-own-3f9c"
UNAVAILABLE = {501, 503, 504}
NAMES = (
    "engine_id",
    "target_engine_id",
    "share_id",
    "address",
    "guest_address",
    "identifier",
    "id",
    "item_id",
)


@dataclass
class Bob:
    """Who has something, and what he sees of it."""

    gateway: Gateway
    wallet: WalletKey = field(default_factory=lambda: WalletKey.create()[0])
    engine_id: str = ""
    share_id: str = ""
    seen: Any = None

    def settle(self) -> None:
        """Come to have things, all of which hold the mark."""
        self.engine_id, _ = self.gateway.register_engine(self.wallet, MARK)
        guest = WalletKey.create()[0].address
        body = {"share_with_identifier": guest, "role": "reader"}
        shared = self.gateway.call(self.wallet, "POST", f"/engines/{self.engine_id}/shares", body)
        assert shared.status_code in {200, 201}, shared.text
        listed = self.gateway.call(self.wallet, "GET", f"/engines/{self.engine_id}/shares").json()
        self.share_id = next(str(item.get("share_id") or item.get("id")) for item in listed)
        kept = self.gateway.call(self.wallet, "PATCH", "/user/preferences", {"theme": MARK})
        assert kept.status_code == 200, kept.text

    def sees(self) -> Any:
        """Return everything of his that somebody else could have changed."""
        asked = ("/user/preferences", f"/engines/{self.engine_id}/shares", "/user/state/favorite_presets")
        engines = [
            (item["id"], item["name"])
            for item in self.gateway.call(self.wallet, "GET", "/user/engines").json()
        ]
        return engines, [self.gateway.call(self.wallet, "GET", path).json() for path in asked]

    def of_his(self, name: str) -> Any:
        """Return what he has under the name of a parameter or member, None for others."""
        values = {
            "engine_id": self.engine_id, "target_engine_id": self.engine_id, "share_id": self.share_id,
            "address": self.wallet.address, "guest_address": self.wallet.address, "identifier": self.engine_id,
            "id": self.engine_id,
        }  # fmt: skip
        return values.get(name)


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with in_process(tmp_path_factory.mktemp("two-users")) as running:
        yield running


@pytest.fixture(scope="module")
def bob(gateway: Gateway) -> Bob:
    made = Bob(gateway)
    made.settle()
    made.seen = made.sees()
    assert MARK in str(made.seen)
    return made


@pytest.fixture(scope="module")
def alice(gateway: Gateway) -> Caller:
    wallet = WalletKey.create()[0]
    return Caller(wallet, *gateway.register_engine(wallet))


@SCHEMA.parametrize()
@settings(max_examples=CASES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_z3_one_user_neither_sees_nor_changes_what_is_the_others(
    case: schemathesis.Case, gateway: Gateway, alice: Caller, bob: Bob
) -> None:
    _name_his(case, bob)
    answer = case.call(base_url=f"{gateway.url}/api/v1", auth=alice)
    assert answer.status_code < 500 or answer.status_code in UNAVAILABLE, answer.text
    assert MARK not in answer.text
    assert case.method == "GET" or bob.sees() == bob.seen
    case.validate_response(answer, checks=CHECKS)


def _name_his(case: schemathesis.Case, bob: Bob) -> None:
    """Put what is Bob's wherever the request names something of that kind."""
    for parameters in (case.path_parameters, case.query, case.body):
        for name in NAMES:
            if isinstance(parameters, dict) and name in parameters and bob.of_his(name) is not None:
                parameters[name] = bob.of_his(name)
