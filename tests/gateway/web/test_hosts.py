"""Host names: ours are answered, a foreign name that was pointed at this machine is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.web.hosts import Hosts
from tests.gateway.support import Gateway, in_process, settings

HEALTH = "/api/v1/system/health"
SOCKET = "/api/socket.io/?EIO=4&transport=polling"


@pytest.mark.parametrize("path", [HEALTH, SOCKET, "/"])
def test_a_rebound_name_is_refused_everywhere(live: Gateway, path: str) -> None:
    assert live.send("GET", path).status_code == 200
    for host in ("evil.example", "evil.example:80", "127.0.0.1.evil.example", "a@127.0.0.1", "127.0.0.1/x"):
        answer = live.send("GET", path, headers={"Host": host})
        assert answer.status_code == 400, host
    answer = live.send("GET", path, headers={"Host": "evil.example"})
    assert answer.json()["code"] == "INVALID_REQUEST"
    assert "GATEWAY_ALLOWED_HOSTS" in answer.json()["error"]


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:8000", "127.0.0.1", "127.8.8.8:1", "[::1]:8000", "localhost."]
)
def test_loopback_names_are_ours(local: Gateway, host: str) -> None:
    assert local.send("GET", HEALTH, headers={"Host": host}).status_code == 200


def test_more_names_by_setting(tmp_path: Path) -> None:
    given = {
        "GATEWAY_ALLOWED_HOSTS": "gateway, Api.Example",
        "GATEWAY_PUBLIC_URL": "https://flow.example:8443",
    }
    with in_process(tmp_path, **given) as gateway:
        for host in ("gateway:8000", "api.example", "flow.example", "localhost"):
            assert gateway.send("GET", HEALTH, headers={"Host": host}).status_code == 200, host
        assert gateway.send("GET", HEALTH, headers={"Host": "www.flow.example"}).status_code == 400


@pytest.mark.parametrize(
    ("bind", "host", "allowed"),
    [
        ("127.0.0.1", "192.0.2.1", False),
        ("192.0.2.1", "192.0.2.1:8000", True),
        ("0.0.0.0", "192.0.2.1", True),
        ("0.0.0.0", "evil.example", False),
        ("127.0.0.1", "", True),
    ],
)
def test_numbers(tmp_path: Path, bind: str, host: str, allowed: bool) -> None:
    hosts = Hosts(settings(tmp_path, GATEWAY_HOST=bind).server)
    assert hosts.allows({"HTTP_HOST": host}) is allowed


def test_every_name_where_that_is_asked_for(tmp_path: Path) -> None:
    assert Hosts(settings(tmp_path, GATEWAY_ALLOWED_HOSTS="*").server).allows({"HTTP_HOST": "any.example"})


def test_a_page_stands_under_names_that_nobody_else_can_have(tmp_path: Path) -> None:
    names = {"GATEWAY_ALLOWED_HOSTS": "*,flow.example", "GATEWAY_PUBLIC_URL": "https://public.example"}
    hosts = Hosts(settings(tmp_path, GATEWAY_HOST="0.0.0.0", **names).server)
    for ours in (
        "flow.example",
        "PUBLIC.example:443",
        "localhost:8000",
        "127.0.0.1:8000",
        "192.168.1.4:8000",
        "[::1]:80",
    ):
        assert hosts.has_page(ours), ours
    for foreign in (
        "evil.example",
        "*",
        "8.8.8.8",
        "",
        "flow.example.evil.example",
        "a@flow.example",
        "0x7f.1",
    ):
        assert not hosts.has_page(foreign), foreign
