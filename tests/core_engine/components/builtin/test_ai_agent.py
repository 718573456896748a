"""The agent against a real server that speaks the API: its tools, its limits, what it must not reach."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from core_engine.components.builtin.ai_agent.arithmetic import calculate
from core_engine.workflow.retry import worth_retrying
from shared.contract.run import RunMode, RunStatus
from shared.errors import ErrorCode, FloworkError
from tests.support.ai import ModelServer, model_server, said, wants

ALL = "calculator, json_query, read_file, http_fetch"


@pytest.fixture
async def server() -> AsyncIterator[ModelServer]:
    async with model_server() as made:
        yield made


def settings(server: ModelServer, **more: Any) -> dict[str, Any]:
    return {"base_url": server.url, "model": "m-1", "task": "Do it.", "tries": 1, "tools": ALL, **more}


def told(server: ModelServer) -> list[str]:
    """What the tools answered, as the last request carries it."""
    return [message["content"] for message in server.asked[-1]["messages"] if message["role"] == "tool"]


async def test_tools_are_used_until_there_is_an_answer(run, server: ModelServer, step, root) -> None:
    (root / "note.txt").write_text("from a file")
    server.answer(
        wants("calculator", {"expression": "(2+3)*4"}),
        wants("json_query", {"query": "items[].price"}),
        wants("read_file", {"path": "note.txt"}),
        said("It is 20."),
    )
    result = await run("ai_agent", settings(server), {"items": [{"price": 2}, {"price": 19}]})
    data = result.outputs["success"].data
    assert (data["text"], data["steps"]) == ("It is 20.", 4)
    assert [(used["tool"], used["ok"]) for used in data["tool_calls"]] == [
        ("calculator", True),
        ("json_query", True),
        ("read_file", True),
    ]
    assert told(server) == ["20", "[2, 19]", "from a file"]
    assert [tool["function"]["name"] for tool in server.asked[0]["tools"]] == ALL.split(", ")
    assert len([line for _, line in step.logs if "gave" in line]) == 3
    assert (len(step.spendings), data["usage"]["tokens_in"]) == (4, 48)


async def test_only_the_hosts_that_are_named_are_asked(run, server: ModelServer) -> None:
    place = server.url.removesuffix("/v1")
    server.answer(wants("http_fetch", {"url": f"{place}/nothing"}), said("done"))
    refused = (await run("ai_agent", settings(server))).outputs["success"].data
    assert refused["tool_calls"][0]["ok"] is False
    assert "may not be asked" in told(server)[0]
    server.answer(wants("http_fetch", {"url": f"{place}/nothing"}), said("done"))
    await run("ai_agent", settings(server, fetch_hosts="127.0.0.1"))
    assert told(server)[0].startswith("Status 404")
    server.answer(wants("http_fetch", {"url": "http://169.254.169.254/latest"}), said("done"))
    await run("ai_agent", settings(server, fetch_hosts="*"))
    assert "not a public address" in told(server)[0]


@pytest.mark.parametrize(
    ("call", "answer"),
    [
        (wants("read_file", {"path": "../secret"}), "Error"),
        (wants("read_file", "{"), "no JSON"),
        (wants("read_file", "[" * 1000), "Error"),
        (wants("read_file", {"other": 1}), "is missing"),
        (wants("shell", {"command": "ls"}), "there is no tool"),
        (wants("calculator", {"expression": "__import__('os')"}), "only numbers"),
        (wants("json_query", {"query": "["}), "Error"),
    ],
)
async def test_what_goes_wrong_is_told_to_the_model(run, server: ModelServer, call, answer: str) -> None:
    server.answer(call, said("I see."))
    data = (await run("ai_agent", settings(server))).outputs["success"].data
    assert (data["text"], data["tool_calls"][0]["ok"]) == ("I see.", False)
    assert answer in told(server)[0]


async def test_a_tool_that_is_not_given_cannot_be_used(run, server: ModelServer, root) -> None:
    (root / "note.txt").write_text("from a file")
    server.answer(wants("read_file", {"path": "note.txt"}), said("ok"))
    await run("ai_agent", settings(server, tools="calculator"))
    assert "there is no tool" in told(server)[0]


async def test_long_answers_of_tools_are_cut(run, server: ModelServer, root) -> None:
    (root / "long.txt").write_text("x" * 5000)
    server.answer(wants("read_file", {"path": "long.txt"}), said("ok"))
    await run("ai_agent", settings(server, max_tool_characters=100))
    assert told(server) == ["x" * 100 + " … (cut off)"]


async def test_steps_and_spending_have_an_end(run, server: ModelServer) -> None:
    server.answer(wants("calculator", {"expression": "1+1"}))
    for limits, asked in (({"max_steps": 3}, 3), ({"max_run_tokens": 100, "max_steps": 50}, 4)):
        with pytest.raises(FloworkError) as caught:
            await run("ai_agent", settings(server, **limits))
        assert caught.value.code is ErrorCode.BUDGET_EXCEEDED
        assert not worth_retrying(caught.value)
        assert len(server.asked) == asked
        server.asked.clear()


async def test_the_example_runs_and_simulating_asks_nobody(engine, registry, server: ModelServer) -> None:
    server.answer(wants("json_query", {"query": "sum(items[].price)"}), said("21"))
    example = registry.example("ai_agent")
    given = example["initial_payload"]["data"] | {"base_url": server.url}
    details, frames = await engine.run(example, given)
    assert details.run.status is RunStatus.SUCCEEDED
    assert [frame["title"] for frame in frames if frame["type"] == "SHOW_DEBUG_POPUP"] == ["Result"]
    assert told(server) == ["21"]
    await engine.run(example, given, RunMode.SIMULATE)
    assert len(server.asked) == 2


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("1 + 2 * 3", "7"),
        ("-(2 ** 10)", "-1024"),
        ("7 // 2 + 7 % 2", "4"),
        ("1 / 4", "0.25"),
        ("1e3", "1000.0"),
    ],
)
def test_sums_are_right(expression: str, value: str) -> None:
    assert calculate(expression) == value


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "9**9**9",
        "(2**1000)**1000",
        "a",
        "1 if 1 else 2",
        "'a'*9",
        "1/0",
        "(-1)**0.5",
        "True",
        "1;2",
        "(" * 300,
        "1" * 501,
    ],
)
def test_nothing_but_sums_is_calculated(expression: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        calculate(expression)
