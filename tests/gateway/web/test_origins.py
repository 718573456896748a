"""Which pages may call: the documented origins, ours, and nobody else."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.web.origins import Origins
from tests.gateway.support import Gateway, in_process, settings

HEALTH = "/api/v1/system/health"
ASKED = "x-payload-version,x-signature,x-signed-message,x-user-address,content-type,x-flowork-engine-id"


@pytest.mark.parametrize(
    "origin",
    [
        "https://flowork.cloud",
        "http://localhost:5173",
        "http://127.0.0.1:5173",
        "http://localhost:3000",
        "http://127.0.0.1:8000",
    ],
)
def test_documented_origins(live: Gateway, origin: str) -> None:
    answer = live.send("GET", HEALTH, headers={"Origin": origin})
    assert answer.headers["Access-Control-Allow-Origin"] == origin
    assert answer.headers["Access-Control-Allow-Credentials"] == "true"
    assert "Origin" in answer.headers["Vary"]


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "http://evil.example",
        "http://flowork.cloud",
        "https://flowork.cloud.evil.example",
        "https://evil-flowork.cloud",
        "https://flowork.cloud:444",
        "http://localhost:5174",
        "http://localhost.evil.example:5173",
        "https://localhost:5173",
    ],
)
def test_other_origins(live: Gateway, origin: str) -> None:
    for method, headers in (("GET", {}), ("OPTIONS", {"Access-Control-Request-Method": "POST"})):
        answer = live.send(method, HEALTH, headers={"Origin": origin} | headers)
        assert not [name for name in answer.headers if name.lower().startswith("access-control-allow")]


def test_ones_own_port_under_either_name(live: Gateway) -> None:
    port = live.url.rsplit(":", 1)[1]
    for host in ("localhost", "127.0.0.1"):
        answer = live.send("GET", HEALTH, headers={"Origin": f"http://{host}:{port}"})
        assert answer.headers["Access-Control-Allow-Origin"] == f"http://{host}:{port}"


def test_preflight(live: Gateway) -> None:
    headers = {
        "Origin": "https://flowork.cloud",
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": ASKED,
        "Access-Control-Request-Private-Network": "true",
    }
    answer = live.send("OPTIONS", "/api/v1/user/engines/x/update-name", headers=headers)
    assert answer.status_code == 204
    assert answer.content == b""
    allowed = {name.strip() for name in answer.headers["Access-Control-Allow-Headers"].split(",")}
    assert set(ASKED.split(",")) <= allowed
    assert "PUT" in answer.headers["Access-Control-Allow-Methods"]
    assert answer.headers["Access-Control-Allow-Private-Network"] == "true"
    assert answer.headers["Access-Control-Allow-Origin"] == "https://flowork.cloud"


def test_errors_can_be_read_by_allowed_pages(live: Gateway) -> None:
    answer = live.send("GET", "/api/v1/auth/profile", headers={"Origin": "https://flowork.cloud"})
    assert answer.status_code == 401
    assert answer.headers["Access-Control-Allow-Origin"] == "https://flowork.cloud"


def test_configured_origins(tmp_path: Path) -> None:
    given = {
        "GATEWAY_ALLOWED_ORIGINS": "https://a.example, https://B.example/ ,",
        "GATEWAY_PUBLIC_URL": "https://gw.example",
    }
    with in_process(tmp_path, **given) as gateway:
        for origin in ("https://a.example", "https://b.example", "https://gw.example"):
            answer = gateway.send("GET", HEALTH, headers={"Origin": origin})
            assert answer.headers["Access-Control-Allow-Origin"] == origin


def test_an_empty_origin_and_an_empty_host_are_not_each_other(tmp_path: Path) -> None:
    origins = Origins(settings(tmp_path).server)
    assert not origins.allows("", {})
    assert not origins.allows(None, {})
    assert not origins.allows("http://", {"HTTP_HOST": ""})
    assert not origins.allows("https://", {})
