from __future__ import annotations

import pytest
from aiohttp import web
from pydantic import ValidationError

from core_engine.kernel.component import StepPolicy
from core_engine.kernel.payload import Payload
from shared.contract.run import RunMode
from shared.errors import ErrorCode, FloworkError


@pytest.mark.parametrize(
    ("code", "port", "payload"),
    [
        ("result = 5", "success", Payload(5, ["h"])),
        ("result = {'a': 1}", "success", Payload({"a": 1}, ["h"])),
        ("result = {'data': [1]}", "success", Payload([1], ["h"])),
        ("result = {'data': 1, 'history': ['new']}", "success", Payload(1, ["new"])),
        ("result = {'payload': {'x': 1}}", "success", Payload({"x": 1}, ["h"])),
        ("result = {'payload': {'data': 2, 'history': []}, 'output_name': 'error'}", "error", Payload(2, [])),
        (
            "result = {'problem': 'no stock', 'output_name': 'error'}",
            "error",
            Payload({"problem": "no stock"}, ["h"]),
        ),
        ("payload['data']['seen'] = args['who']", "success", Payload({"n": 1, "seen": "me"}, ["h"])),
        ("", "success", Payload({"n": 1}, ["h"])),
    ],
)
async def test_what_code_gives_back_becomes_the_payload(run, code: str, port: str, payload: Payload) -> None:
    config = {"python_code": code, "args": [{"name": "who", "value": "me"}]}
    assert (await run("function_runner_module", config, Payload({"n": 1}, ["h"]))).outputs == {port: payload}


async def test_its_log_names_the_rung(run, step) -> None:
    await run("function_runner_module", {"python_code": "log('from the code', 'SUCCESS')"})
    assert ("SUCCESS", "from the code") in step.logs
    assert any("Isolation: " in text for _, text in step.logs)


async def test_an_unknown_port_is_refused(run) -> None:
    with pytest.raises(FloworkError, match="chose the port 'left'"):
        await run("function_runner_module", {"python_code": "result = {'output_name': 'left'}"})


async def test_an_endless_loop_fails_its_step_alone(run) -> None:
    with pytest.raises(FloworkError) as caught:
        await run("function_runner_module", {"python_code": "while True: pass", "timeout_seconds": 0.5})
    assert caught.value.code is ErrorCode.COMPONENT_FAILED
    assert "longer than 0.5 s" in caught.value.message


async def test_the_memory_setting_is_honoured(run) -> None:
    code = "x = len(bytearray(200 << 20))\nresult = x"
    with pytest.raises(FloworkError, match="more memory"):
        await run("function_runner_module", {"python_code": code, "memory_mb": 64})
    assert (await run("function_runner_module", {"python_code": code, "memory_mb": 256})).outputs[
        "success"
    ].data == 200 << 20


async def test_simulating_runs_no_code(run) -> None:
    payload = Payload({"n": 1}, ["h"])
    config = {"python_code": "raise RuntimeError"}
    assert (await run("function_runner_module", config, payload, mode=RunMode.SIMULATE)).outputs == {
        "success": payload
    }


def test_it_can_be_repeated_because_nothing_can_get_out(registry) -> None:
    component = registry.find("function_runner_module")
    assert component.policy_for(component.parse_config({})) is StepPolicy.REPEATABLE
    assert component.raw_fields == {"python_code"}


async def hello(_: web.Request) -> web.Response:
    return web.Response(text="hello")


async def test_code_talks_to_the_hosts_of_its_settings_only(run, registry, serve, step) -> None:
    app = web.Application()
    app.router.add_get("/", hello)
    url = await serve(app)
    port = int(url.rpartition(":")[2])
    code = (
        "import urllib.request\ntry:\n    result = urllib.request.urlopen(args['url']).status\n"
        "except OSError as error:\n    result = 'refused'"
    )
    config = {"python_code": code, "args": [{"name": "url", "value": f"http://127.0.0.1:{port}/"}]}
    opened = {**config, "hosts": [f"127.0.0.1:{port}"]}
    assert (await run("function_runner_module", opened)).outputs["success"].data == 200
    assert ("DEBUG", f"Connected to 127.0.0.1:{port}.") in step.logs
    for hosts in ([], ["example.org"]):
        done = await run("function_runner_module", {**config, "hosts": hosts})
        assert done.outputs["success"].data == "refused"
    component = registry.find("function_runner_module")
    assert component.policy_for(component.parse_config(opened)) is StepPolicy.ONCE
    with pytest.raises(ValidationError, match="not a host"):
        component.parse_config({**config, "hosts": ["http://example.org/"]})
