"""schemathesis over the OpenAPI document: signed requests of every kind, and never an answer that is not documented."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, settings
from requests.auth import AuthBase
from schemathesis import checks
from schemathesis.config import SchemathesisConfig
from typing_extensions import override

from shared.signing.keys import WalletKey
from shared.signing.rest import sign_headers
from tests.gateway import conformance
from tests.gateway.support import Gateway, in_process

CASES = 8
checks.load_all_checks()
CHECKS = checks.CHECKS.get_by_names(
    ["status_code_conformance", "response_schema_conformance", "content_type_conformance"]
)
CONFIG = SchemathesisConfig.from_dict(
    {"phases": {"coverage": {"enabled": False}}, "generation": {"mode": "all"}}
)
SCHEMA = schemathesis.openapi.from_dict(conformance.document(), config=CONFIG)


class Caller(AuthBase):
    """Signs a request as it will be sent, and brings an engine's token along."""

    def __init__(self, wallet: WalletKey, engine_id: str, token: str) -> None:
        self.wallet, self.engine_id, self.token = wallet, engine_id, token

    @override
    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        body = request.body.encode() if isinstance(request.body, str) else request.body or b""
        now_ms = time.time_ns() // 1_000_000
        signed = sign_headers(self.wallet, request.method or "", request.path_url, bytes(body), now_ms=now_ms)
        request.headers.update(signed)
        request.headers.update({"X-Engine-Id": self.engine_id, "X-Engine-Token": self.token})
        return request


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with in_process(tmp_path_factory.mktemp("contract")) as running:
        yield running


@pytest.fixture(scope="module")
def caller(gateway: Gateway) -> Caller:
    owner = WalletKey.create()[0]
    return Caller(WalletKey.create()[0], *gateway.register_engine(owner))


@SCHEMA.parametrize()
@settings(max_examples=CASES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_every_answer_is_documented(case: schemathesis.Case, gateway: Gateway, caller: Caller) -> None:
    answer = case.call(base_url=f"{gateway.url}/api/v1", auth=caller)
    assert answer.status_code != 500, answer.text
    case.validate_response(answer, checks=CHECKS)
