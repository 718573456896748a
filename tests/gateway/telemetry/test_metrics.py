"""What a gateway tells Prometheus of requests, sockets and relayed messages, and to whom."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from shared.signing.keys import WalletKey
from tests.gateway.support import Gateway, engine, gui, in_process

TOKEN = "flork_metrics_" + "6" * 32
SECRET = "flork_sec_" + "7" * 64
Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    environ = {"FLOWORK_METRICS_TOKEN": TOKEN, "GATEWAY_SECRET_TOKEN": SECRET}
    with in_process(tmp_path_factory.mktemp("metrics"), **environ) as gateway:
        yield gateway


def ask(gateway: Gateway, headers: dict[str, str]) -> httpx.Response:
    return httpx.get(f"{gateway.url}/metrics", headers=headers, timeout=30)


def samples(gateway: Gateway) -> Samples:
    text = ask(gateway, {"Authorization": f"Bearer {TOKEN}"}).text
    found = (sample for family in text_string_to_metric_families(text) for sample in family.samples)
    return {(item.name, tuple(sorted(item.labels.items()))): item.value for item in found}


def figure(found: Samples, name: str, **labels: str) -> float:
    return found.get(("flowork_gateway_" + name, tuple(sorted(labels.items()))), 0)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer"},
        {"Authorization": f"Bearer {TOKEN[:-1]}"},
        {"Authorization": f"Basic {TOKEN}"},
        {"Authorization": f"Bearer {SECRET}"},
        {"X-API-Key": TOKEN},
        {"Accept": "text/html"},
    ],
)
def test_only_who_has_the_key_reads_them(gateway: Gateway, headers: dict[str, str]) -> None:
    answer = ask(gateway, headers)
    assert answer.status_code == 401
    assert "flowork_gateway" not in answer.text


def test_either_key_opens_them(gateway: Gateway) -> None:
    for headers in ({"Authorization": f"Bearer {TOKEN}"}, {"X-API-Key": SECRET}):
        answer = ask(gateway, headers)
        assert answer.status_code == 200
        assert answer.headers["Content-Type"].startswith("text/plain")
        assert "flowork_gateway_database_up 1.0" in answer.text


def test_without_any_secret_they_stay_closed(tmp_path: Path) -> None:
    with in_process(tmp_path) as gateway:
        for headers in ({}, {"X-API-Key": ""}, {"Authorization": "Bearer"}):
            assert ask(gateway, headers).status_code == 401


def test_the_metrics_token_opens_nothing_else(gateway: Gateway) -> None:
    given = {"Authorization": f"Bearer {TOKEN}", "X-API-Key": TOKEN}
    assert httpx.post(f"{gateway.url}/api/v1/system/clear-cache", headers=given).status_code == 401


def test_requests_are_counted_by_operation_never_by_path(gateway: Gateway, wallet: WalletKey) -> None:
    before = samples(gateway)
    gateway.call(wallet, "GET", "/user/engines")
    httpx.get(f"{gateway.url}/api/v1/user/engines")
    httpx.get(f"{gateway.url}/api/v1/no-such-path-{wallet.address}")
    httpx.get(gateway.url)
    found = samples(gateway)

    def grown(name: str, **labels: str) -> float:
        return figure(found, name, **labels) - figure(before, name, **labels)

    assert grown("requests_total", operation="list_engines", status="200") == 1
    assert grown("requests_total", operation="list_engines", status="401") == 1
    assert grown("request_duration_seconds_count", operation="list_engines") == 2
    assert grown("requests_total", operation="none", status="404") == 1
    assert grown("requests_total", operation="page", status="200") >= 1
    assert grown("verify_duration_seconds_count", kind="wallet", outcome="ok") == 1
    assert wallet.address.lower() not in str(found).lower()


async def test_sockets_and_what_passes_between_them(gateway: Gateway, wallet: WalletKey) -> None:
    engine_id, token = gateway.register_engine(wallet)
    before = samples(gateway)
    async with (
        engine(gateway, engine_id, token, headers={"X-API-Key": SECRET}) as link,
        gui(gateway, wallet) as page,
    ):
        link.client.on("relay_command", lambda _data: {"ok": True}, namespace="/engine-socket")
        await page.next("initial_engine_statuses")
        assert await page.call("request_presets_list", {"v": 2, "payload": {}}) == {"ok": True}
        await page.call("no_such_event", {"v": 2, "payload": {}})
        during = samples(gateway)
        with pytest.raises(Exception, match="One or more namespaces failed"):
            async with engine(gateway, engine_id, "wrong"):
                pass
    assert figure(during, "sockets", namespace="gui") == 1
    assert figure(during, "sockets", namespace="engine") == 1
    name = "relay_messages_total"
    assert figure(during, name, direction="to_engine") - figure(before, name, direction="to_engine") == 1
    refused = figure(during, "socket_events_total", namespace="gui", outcome="UNKNOWN_COMMAND")
    assert refused == 1
    after = samples(gateway)
    failed = sum(
        value
        for (key, labels), value in after.items()
        if key == "flowork_gateway_socket_connects_total" and ("outcome", "ok") not in labels
    )
    assert failed == 1
