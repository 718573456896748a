"""JavaScript as a step: what it gives back, what it logs, and what it cannot do."""

from __future__ import annotations

from typing import Any

import pytest

from core_engine.kernel.payload import Payload
from shared.contract.run import RunMode
from shared.errors import ErrorCode, FloworkError


@pytest.fixture
def script(run):
    async def call(code: str, data: Any = None, **settings: Any) -> Any:
        return (await run("run_javascript", {"code": code, **settings}, Payload(data or {}, ["h"]))).outputs

    return call


@pytest.mark.parametrize(
    ("code", "payload"),
    [
        ("function run(payload) { return { data: payload.data.n + 1 } }", Payload(21, ["h"])),
        ("async function run(p) { await null; return [p.data.n] }", Payload([20], ["h"])),
        ("const run = (p, log) => ({ data: args.who })", Payload("me", ["h"])),
        ("let result = { a: 1 }", Payload({"a": 1}, ["h"])),
        ("result = Promise.resolve('later')", Payload("later", ["h"])),
        ("payload.data.seen = true", Payload({"n": 20, "seen": True}, ["h"])),
        ("", Payload({"n": 20}, ["h"])),
        ("result = { payload: { data: 1, history: [] } }", Payload(1, [])),
        ("result = 'ä😀\\u0000'", Payload("ä😀\x00", ["h"])),
        (
            "result = { n: NaN, u: undefined, d: new Date(0) }",
            Payload({"n": None, "d": "1970-01-01T00:00:00.000Z"}, ["h"]),
        ),
    ],
)
async def test_what_code_gives_back_becomes_the_payload(script, code: str, payload: Payload) -> None:
    outputs = await script(code, {"n": 20}, args=[{"name": "who", "value": "me"}])
    assert outputs == {"success": payload}


async def test_a_port_can_be_chosen_and_logs_arrive(script, step) -> None:
    code = "console.log('one', {a: 1}); console.warn('two'); log('three', 'SUCCESS');"
    outputs = await script(code + "result = { data: 1, output_name: 'error' }")
    assert outputs == {"error": Payload(1, ["h"])}
    assert step.logs[0][0] == "DEBUG"
    assert step.logs[0][1].startswith("Isolation: ")
    assert step.logs[1:] == [("INFO", 'one {"a":1}'), ("WARN", "two"), ("SUCCESS", "three")]


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (
            "const x = 1;\nfunction run() {\n  throw new TypeError('bad') }",
            "TypeError: bad at run (<your code>:3:",
        ),
        ("let x = = 1", "SyntaxError"),
        ("function f() { return f() + 1 }\nf()", "RangeError"),
        ("throw null", "null"),
        ("async function run() { throw { toString() { throw 1 } } }", ""),
        ("async function run() { await new Promise(() => {}) }", "never comes"),
        ("function run() { const a = {}; a.a = a; return a }", "circular"),
        ("result = require('fs')", "require"),
        ("result = { output_name: 'left' }", "chose the port 'left'"),
        ("import os from 'os'", ""),
        ("result = fetch('http://127.0.0.1')", "fetch"),
        ("result = 'x'.repeat(2000000)", "1 MiB"),
    ],
)
async def test_what_goes_wrong_is_told(script, code: str, told: str) -> None:
    with pytest.raises(FloworkError) as caught:
        await script(code)
    assert caught.value.code is ErrorCode.COMPONENT_FAILED
    assert told in caught.value.message
    assert (await script("result = 'still here'"))["success"].data == "still here"


async def test_time_and_memory_are_limited(script) -> None:
    with pytest.raises(FloworkError) as caught:
        await script("while (true) {}", timeout_seconds=0.5)
    assert caught.value.details == {"reason": "time"}
    for hog in (
        "const a = []; while (true) a.push(new Array(100000).fill(1))",
        "let s = 'x'; while (true) s += s + 1",
    ):
        with pytest.raises(FloworkError) as caught:
            await script(hog, memory_mb=32, timeout_seconds=60)
        assert caught.value.code is ErrorCode.COMPONENT_FAILED
    assert (await script("result = 1"))["success"].data == 1


async def test_nothing_of_one_call_is_seen_by_the_next(script) -> None:
    await script("globalThis.left = 1; Array.prototype.left = 1; JSON.stringify = () => '1'")
    seen = await script("result = [typeof left, typeof [].left, JSON.stringify([2])]")
    assert seen["success"].data == ["undefined", "undefined", "[2]"]


async def test_only_the_language_is_there(script) -> None:
    names = "['require', 'process', 'std', 'os', 'fetch', 'setTimeout', 'XMLHttpRequest', '__log', '__payload', 'Deno']"
    seen = await script(f"result = {names}.filter((name) => name in globalThis)")
    assert seen["success"].data == []


async def test_simulating_runs_no_code(run) -> None:
    payload = Payload({"n": 1}, ["h"])
    outputs = (await run("run_javascript", {"code": "throw 1"}, payload, mode=RunMode.SIMULATE)).outputs
    assert outputs == {"success": payload}
