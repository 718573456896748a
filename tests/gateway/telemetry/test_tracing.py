"""Traces at the gateway: what callers say of theirs is passed on if it has the right form, and spans only if wanted."""

from __future__ import annotations

import asyncio
import base64
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from shared import otlp
from shared.signing.keys import WalletKey
from shared.tracing import new_trace, read_traceparent
from tests.gateway.support import Gateway, Peer, engine, gui, in_process
from tests.support.otlp import collecting, facts

GIVEN = new_trace()
WRONG: list[Any] = ["00-nonsense", GIVEN.traceparent + "-more", 5, {"a": 1}, "x" * 100_000]


class Engine:
    """Keeps what it is asked, over the relay and by REST."""

    def __init__(self, link: Peer) -> None:
        self.commands: list[dict[str, Any]] = []
        self.requests: list[dict[str, Any]] = []
        link.client.on("relay_command", self._command, namespace="/engine-socket")
        link.client.on("engine_request", self._request, namespace="/engine-socket")

    async def _command(self, data: dict[str, Any]) -> dict[str, Any]:
        self.commands.append(data)
        return {"ok": True}

    async def _request(self, data: dict[str, Any]) -> dict[str, Any]:
        self.requests.append(data)
        return {"status": 200, "body": base64.b64encode(b"{}").decode()}


async def use(gateway: Gateway, wallet: WalletKey, given: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Send a command and a request that say they belong to a trace; return them as the engine gets them."""
    engine_id, token = gateway.register_engine(wallet)
    async with engine(gateway, engine_id, token) as link, gui(gateway, wallet) as page:
        asked = Engine(link)
        frame = {"v": 2, "payload": {"name": "x", "traceparent": "inside"}, "traceparent": given}
        assert await page.call("load_preset", frame) == {"ok": True}
        headers = {"traceparent": given} if isinstance(given, str) and len(given) < 100 else {}
        await asyncio.to_thread(gateway.call, wallet, "GET", "/proxy/presets", **headers)
    return asked.commands[0], asked.requests[0]


async def test_without_a_collector_a_trace_is_passed_on_as_it_came(local: Gateway, wallet: WalletKey) -> None:
    command, request = await use(local, wallet, GIVEN.traceparent)
    assert command["traceparent"] == GIVEN.traceparent
    assert request["headers"] == {"traceparent": GIVEN.traceparent}


@pytest.mark.parametrize("given", WRONG, ids=range(len(WRONG)))
async def test_what_is_no_trace_goes_no_further(local: Gateway, wallet: WalletKey, given: Any) -> None:
    command, request = await use(local, wallet, given)
    assert "traceparent" not in command
    assert request["headers"] == {}


async def test_with_a_collector_there_is_a_span_for_each(
    tmp_path: Path, wallet: WalletKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(otlp, "PERIOD_SECONDS", 0.05)
    async with collecting() as collector:
        environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_EXPORTER_OTLP_HEADERS": "x-key=abc"}
        with in_process(tmp_path, **environ) as gateway:
            command, request = await use(gateway, wallet, GIVEN.traceparent)
            fresh, _ = await use(gateway, wallet, None)
            await asyncio.to_thread(gateway.app.close if gateway.app else int)
        spans = {span["spanId"]: span for span in collector.of("flowork-gateway")}
    assert collector.headers[0]["x-key"] == "abc"
    assert len(spans) == 4
    sent = (command["traceparent"], request["headers"]["traceparent"])
    for context in map(read_traceparent, sent):
        assert context is not None
        assert context.trace_id == GIVEN.trace_id
        assert spans[context.span_id]["parentSpanId"] == GIVEN.span_id
        assert facts(spans[context.span_id])["flowork.outcome"] == "ok"
    begun = read_traceparent(fresh["traceparent"])
    assert begun is not None
    assert begun.trace_id != GIVEN.trace_id
    assert "parentSpanId" not in spans[begun.span_id]


def test_nothing_of_it_is_loaded_without_a_collector() -> None:
    code = (
        "import sys, gateway.app, core_engine.workers.outlook\n"
        "lazy = {'gateway.telemetry.outflow', 'core_engine.workers.http', 'core_engine.workers.figures',"
        " 'core_engine.kernel.outflow'}\n"
        "assert not lazy & set(sys.modules), lazy & set(sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stderr
