"""Webhooks over real HTTP: who gets in, what the workflow gets, what the caller is answered."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from core_engine.app import Engine
from shared.clock import SystemClock
from shared.contract.variable import VariableData
from tests.core_engine.triggers.desk import (
    engine,
    flow,
    given,
    node,
    pause,
    quick,
    rule,
    runs,
    save,
    signature,
    until,
)

SECRET = "correct horse battery staple"
HEADER = {"X-Webhook-Secret": SECRET}


@asynccontextmanager
async def hooked(
    folder: Path, workflow: dict[str, Any] | None = None, policy: dict[str, Any] | None = None, **config: Any
) -> AsyncIterator[tuple[Engine, aiohttp.ClientSession, str]]:
    async with engine(folder) as of, aiohttp.ClientSession() as http:
        await save(of, "flow", workflow or quick())
        await rule(of, "webhook", config={"secret": SECRET} | config, policy=policy)
        yield of, http, f"{of.address.http}/webhook/flow"


async def test_a_call_starts_a_run_with_what_it_brought(tmp_path: Path) -> None:
    async with hooked(tmp_path, headers="X-Kind, X-Webhook-Secret") as (of, http, url):
        headers = HEADER | {"X-Kind": "order", "X-Other": "no"}
        async with http.post(f"{url}?a=1&b=2&b=3", json={"n": 7}, headers=headers) as answer:
            assert answer.status == 202
            told = await answer.json()
        event = await given(of, told["job_id"])
        assert event["body"] == {"n": 7}
        assert event["headers"] == {"x-kind": "order"}
        assert event["query"] == {"a": "1", "b": ["2", "3"]}
        assert event["method"] == "POST"
        assert SECRET not in str(event)
        assert SECRET not in str(of.triggers.listing())
        assert SECRET.encode() not in b"".join(row.body for row in of.triggers.table.rules())


@pytest.mark.parametrize(
    ("kind", "body", "read"),
    [
        ("application/json", b'{"a": [1]}', {"a": [1]}),
        ("application/x-www-form-urlencoded", b"a=1&b=2&b=3", {"a": "1", "b": ["2", "3"]}),
        ("text/plain; charset=utf-8", "grüß".encode(), "grüß"),
        ("application/json", b"", None),
    ],
)
async def test_bodies_are_read_by_their_kind(tmp_path: Path, kind: str, body: bytes, read: Any) -> None:
    async with hooked(tmp_path) as (of, http, url):
        async with http.post(url, data=body, headers=HEADER | {"Content-Type": kind}) as answer:
            told = await answer.json()
        assert (await given(of, told["job_id"]))["body"] == read


@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        ("application/json", b"{", 400),
        ("application/json", b"[" * 100_000, 400),
        ("text/plain", b"\xff", 400),
        ("image/png", b"x", 415),
        ("text/plain", b"x" * 3000, 413),
    ],
)
async def test_what_cannot_be_read_is_refused(tmp_path: Path, kind: str, body: bytes, status: int) -> None:
    async with hooked(tmp_path, max_body_kb=2 if status == 413 else 1024) as (of, http, url):
        async with http.post(url, data=body, headers=HEADER | {"Content-Type": kind}) as answer:
            assert answer.status == status
        assert await runs(of) == []


async def test_strangers_do_not_get_in_and_learn_nothing(tmp_path: Path) -> None:
    async with hooked(tmp_path) as (of, http, url):
        for headers in (
            {},
            {"X-Webhook-Secret": SECRET[:-1]},
            {"X-Webhook-Secret": "ü"},
            {"X-API-Key": SECRET},
        ):
            async with http.post(url, json={}, headers=headers) as answer:
                assert answer.status == 401
        async with http.post(url.replace("flow", "other"), json={}, headers=HEADER) as answer:
            assert answer.status == 404
        (made,) = of.triggers.rules.all()
        assert of.triggers.counts.of(made.id).denied == 4
        assert dict(of.triggers.figures())["denied"] == 5
        async with http.get(url, headers=HEADER) as answer:
            assert answer.status == 405
        await of.triggers.switch(made.id, on=False)
        async with http.post(url, json={}, headers=HEADER) as answer:
            assert answer.status == 404
        assert await runs(of) == []
        async with http.get(f"{of.address.http}/api/v1/status") as answer:
            assert answer.status == 503  # everything else stays closed


async def test_signatures_are_judged_with_their_time(tmp_path: Path) -> None:
    now = SystemClock().now_ms() // 1000
    body = b'{"n":1}'
    plain = f"sha256={signature(SECRET, body)}"
    good = [
        {"X-Hub-Signature-256": plain},
        {"X-Signature-256": plain},
        {"X-Signature-256": f"sha256={signature(SECRET, body, now)}", "X-Signature-Timestamp": str(now)},
        {"Stripe-Signature": f"t={now},v1={'0' * 64},v1={signature(SECRET, body, now)}"},
    ]
    bad = [
        {},
        {"X-Hub-Signature-256": plain[:-1] + ("0" if plain[-1] != "0" else "1")},
        {"X-Hub-Signature-256": plain.removeprefix("sha256=")},
        {"X-Signature-256": plain, "X-Signature-Timestamp": str(now)},
        {"Stripe-Signature": f"t={now - 3600},v1={signature(SECRET, body, now - 3600)}"},
        {"Stripe-Signature": f"v1={signature(SECRET, body)}"},
        {"X-Webhook-Secret": SECRET},
    ]
    async with hooked(tmp_path, auth="hmac", secret="{{vars.HOOK}}") as (of, http, url):
        async with http.post(url, data=body, headers=good[0]) as answer:
            assert answer.status == 401  # there is no such variable
        await of.rooms.variables.update("HOOK", VariableData(value=SECRET, is_secret=True, is_enabled=True))
        for headers, status in [*((item, 202) for item in good), *((item, 401) for item in bad)]:
            sent = headers | {"Content-Type": "application/json"}
            async with http.post(url, data=body, headers=sent) as answer:
                assert answer.status == status, headers


async def test_the_same_delivery_starts_one_run(tmp_path: Path) -> None:
    async with hooked(tmp_path) as (of, http, url):
        headers = HEADER | {"X-GitHub-Delivery": "abc"}

        async def call() -> tuple[int, Any]:
            async with http.post(url, json={}, headers=headers) as answer:
                return answer.status, await answer.json()

        answers = await asyncio.gather(*(call() for _ in range(5)))
        assert sorted(status for status, _ in answers) == [200, 200, 200, 200, 202]
        assert len({told["job_id"] for _, told in answers}) == 1
        assert sum(told.get("duplicate", False) for _, told in answers) == 4
    async with engine(tmp_path) as of, aiohttp.ClientSession() as http:
        async with http.post(f"{of.address.http}/webhook/flow", json={}, headers=headers) as answer:
            assert (answer.status, (await answer.json())["duplicate"]) == (200, True)
        assert len(await runs(of)) == 1


async def test_a_caller_that_waits_gets_the_result(tmp_path: Path) -> None:
    data = node("set", "set_fields", fields=[{"name": "sum", "value": "{{ data.body.n }}"}])
    async with (
        hooked(tmp_path, flow(data)) as (_, http, url),
        http.post(f"{url}?wait=30", json={"n": 5}, headers=HEADER) as answer,
    ):
        assert answer.status == 200
        told = await answer.json()
        assert (told["status"], told["result"]["sum"]) == ("SUCCEEDED", 5)


async def test_a_workflow_answers_by_itself(tmp_path: Path) -> None:
    answering = node(
        "answer",
        "webhook_response",
        status=201,
        headers=[{"name": "X-Made", "value": "yes"}, {"name": "Set-Cookie", "value": "a=b"}],
        body={"hello": "{{ data.body.name }}"},
    )
    async with (
        hooked(tmp_path, flow(answering), wait_seconds=30) as (_, http, url),
        http.post(url, json={"name": "Sari"}, headers=HEADER) as answer,
    ):
        assert answer.status == 201
        assert answer.headers["X-Made"] == "yes"
        assert "Set-Cookie" not in answer.headers
        assert await answer.json() == {"hello": "Sari"}


async def test_a_wait_that_is_too_short_says_what_runs(tmp_path: Path) -> None:
    async with (
        hooked(tmp_path, pause()) as (of, http, url),
        http.post(f"{url}?wait=0.1", json={}, headers=HEADER) as answer,
    ):
        assert answer.status == 202
        assert (await runs(of))[0].job_id == (await answer.json())["job_id"]


async def test_calls_are_limited_and_a_full_queue_refuses(tmp_path: Path) -> None:
    async with hooked(tmp_path, rate_per_second=0.01) as (of, http, url):
        statuses = []
        for _ in range(2):
            async with http.post(url, json={}, headers=HEADER) as answer:
                statuses.append((answer.status, "Retry-After" in answer.headers))
        assert statuses == [(202, False), (429, True)]
        (made,) = of.triggers.rules.all()
        assert of.triggers.counts.of(made.id).refused == 1
    policy = {"kind": "queue", "queue_limit": 1}
    async with hooked(tmp_path / "b", pause(), policy) as (of, http, url):
        statuses = []
        for _ in range(3):
            async with http.post(url, json={}, headers=HEADER) as answer:
                statuses.append(answer.status)
        assert statuses == [202, 202, 429]


async def test_a_webhook_needs_its_secret_said(tmp_path: Path) -> None:
    async with engine(tmp_path) as of, aiohttp.ClientSession() as http:
        trigger = node("hook", "webhook_trigger")
        await save(of, "flow", flow(trigger))
        (item,) = of.triggers.listing()
        assert "secret" in (item.blocked or "")
        await save(of, "flow", flow(node("hook", "webhook_trigger", auth="none", allow_get=True)))
        async with http.get(f"{of.address.http}/webhook/flow/hook") as answer:
            assert answer.status == 202
        run = (await until(lambda: runs(of)))[0]
        assert run.origin == f"trigger:{item.id}"
