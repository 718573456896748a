"""The steps that ask a model, against a real server that speaks the API."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from core_engine.components.builtin.ai_chat.component import AiChat
from core_engine.components.builtin.ai_chat.lines import LogLines
from core_engine.components.network import NetworkPolicy
from core_engine.kernel.payload import Payload
from core_engine.workflow.retry import worth_retrying
from shared.contract.run import RunMode, RunStatus
from shared.errors import ErrorCode, FloworkError
from tests.support.ai import ModelServer, model_server, said

PRICES = [{"model": "m-1", "input": 1000, "output": "2000"}]
PERSON = {
    "type": "object", "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
    "required": ["name"], "additionalProperties": False,
}  # fmt: skip
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


@pytest.fixture
async def server() -> AsyncIterator[ModelServer]:
    async with model_server() as made:
        yield made


def settings(server: ModelServer, **more: Any) -> dict[str, Any]:
    return {"base_url": server.url, "model": "m-1", "tries": 1, "timeout_seconds": 60, **more}


async def failure(run, component: str, config: dict[str, Any]) -> FloworkError:
    with pytest.raises(FloworkError) as caught:
        await run(component, config)
    return caught.value


async def test_an_answer_is_streamed_into_the_log_and_handed_on(run, server: ModelServer, step) -> None:
    pieces = ["Ships carry ", "goods. ", "x" * 200, "\n", "The end."]
    server.answer(said("", pieces=pieces))
    config = settings(
        server, system="Be brief.", prompt="What?", api_key="sk-1", prices=PRICES, temperature=0.5, max_tokens=50,
        messages=[{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}],
    )  # fmt: skip
    data = (await run("ai_chat", config, Payload({}, ["h"]))).outputs["success"].data
    assert data["text"] == "".join(pieces)
    assert (data["model"], data["finish_reason"]) == ("m-1", "stop")
    assert [message["role"] for message in data["messages"]] == [
        "system",
        "user",
        "assistant",
        "user",
        "assistant",
    ]
    assert data["usage"] == {
        "tokens_in": 12, "tokens_out": 3, "cost": 0.018, "currency": "USD", "estimated": False,
    }  # fmt: skip
    assert [line for _, line in step.logs] == ["Ships carry goods.", "x" * 200, "The end."]
    (asked,) = server.asked
    assert (asked["temperature"], asked["max_tokens"], asked["stream"]) == (0.5, 50, True)
    assert server.headers[0]["authorization"] == "Bearer sk-1"


async def test_nothing_of_the_machines_environment_is_sent(run, server: ModelServer, monkeypatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "OPENAI_ADMIN_KEY"):
        monkeypatch.setenv(name, "of-the-machine")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Machine: of-the-machine")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1/")
    await run("ai_chat", settings(server, prompt="Hi"))
    (headers,) = server.headers
    assert set(headers) == {
        "host",
        "accept",
        "content-type",
        "user-agent",
        "accept-encoding",
        "content-length",
    }
    assert "of-the-machine" not in str(headers)


async def test_an_answer_can_come_in_one_piece(run, server: ModelServer, step) -> None:
    server.answer(said("whole", finish="length"))
    data = (await run("ai_chat", settings(server, prompt="Hi", stream=False))).outputs["success"].data
    assert (data["text"], data["finish_reason"]) == ("whole", "length")
    assert "stream" not in server.asked[0]
    assert step.logs == [("WARN", "The answer was cut off at the longest length.")]


async def test_images_go_along_by_file_and_by_address(run, server: ModelServer, root) -> None:
    (root / "dot.png").write_bytes(PNG)
    images = "dot.png, https://example.com/a.jpg"
    result = await run("ai_chat", settings(server, prompt="See?", images=images))
    text, file, address = server.asked[0]["messages"][0]["content"]
    assert text == {"type": "text", "text": "See?"}
    assert file["image_url"]["url"] == "data:image/png;base64," + base64.b64encode(PNG).decode()
    assert address["image_url"]["url"] == "https://example.com/a.jpg"
    assert result.outputs["success"].data["messages"][0] == {"role": "user", "content": "See?"}
    (root / "note.txt").write_text("no image")
    for place, code in (
        ("note.txt", "UNSUPPORTED_MEDIA"),
        ("../x.png", "FORBIDDEN"),
        ("none.png", "NOT_FOUND"),
    ):
        assert (await failure(run, "ai_chat", settings(server, prompt="?", images=place))).code.value == code
    assert len(server.asked) == 1


async def test_an_endpoint_that_does_not_count_is_estimated(run, server: ModelServer, step) -> None:
    server.answer({"text": "x" * 40})
    await run("ai_chat", settings(server, prompt="Hi"))
    await run("ai_chat", settings(server, prompt="Hi", stream=False))
    assert [spent["estimated"] for spent in step.spendings] == [True, True]
    assert [spent["tokens_out"] for spent in step.spendings] == [10, 10]
    assert all(spent["tokens_in"] > 0 for spent in step.spendings)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ({"status": 401, "message": "bad key"}, ErrorCode.UNAUTHENTICATED),
        ({"status": 403}, ErrorCode.FORBIDDEN),
        ({"status": 404, "message": "no such model"}, ErrorCode.INVALID_REQUEST),
        ({"status": 400}, ErrorCode.INVALID_REQUEST),
        ({"status": 429}, ErrorCode.RATE_LIMITED),
        ({"status": 429, "code": "insufficient_quota"}, ErrorCode.FORBIDDEN),
        ({"status": 500}, ErrorCode.COMPONENT_FAILED),
        ({"raw": b"{"}, ErrorCode.COMPONENT_FAILED),
        ({"raw": b"[]"}, ErrorCode.COMPONENT_FAILED),
        ({"raw": b'{"choices": []}'}, ErrorCode.COMPONENT_FAILED),
        ({"raw": b'{"choices": [{"message": null}]}'}, ErrorCode.COMPONENT_FAILED),
        ({"raw": b"[" * 100_000}, ErrorCode.COMPONENT_FAILED),
        ({"raw": b"<html>", "type": "text/html"}, ErrorCode.COMPONENT_FAILED),
        ({"raw": b"data: {\n\n", "type": "text/event-stream"}, ErrorCode.COMPONENT_FAILED),
        ({"raw": b"x" * 70_000_000}, ErrorCode.TOO_LARGE),
    ],
)
@pytest.mark.parametrize("stream", [True, False])
async def test_every_failure_has_its_code(run, server: ModelServer, answer, code: ErrorCode, stream) -> None:
    server.answer(answer)
    error = await failure(run, "ai_chat", settings(server, prompt="Hi", stream=stream, api_key="sk-secret"))
    if code is ErrorCode.TOO_LARGE and stream:
        code = error.code  # no event in it: it may as well be told as no answer
    assert error.code is code, error.message
    assert error.message.startswith(("The model's endpoint", "The answer"))
    assert "sk-secret" not in error.message


async def test_a_busy_endpoint_is_asked_again(run, server: ModelServer, step) -> None:
    server.answer(
        {"status": 429, "retry_after": "0.01"}, {"status": 500, "retry_after": "0.01"}, said("at last")
    )
    data = (await run("ai_chat", settings(server, prompt="Hi", tries=3))).outputs["success"].data
    assert data["text"] == "at last"
    assert (len(server.asked), len(step.spendings)) == (3, 1)
    server.answer({"status": 401})
    await failure(run, "ai_chat", settings(server, prompt="Hi", tries=3))
    assert len(server.asked) == 4


async def test_a_silent_endpoint_is_given_up_and_what_came_is_counted(run, server: ModelServer, step) -> None:
    server.answer({"text": "", "hang": True})
    for stream in (True, False):
        config = settings(server, prompt="Hi", stream=stream, timeout_seconds=0.2, tries=3)
        assert (await failure(run, "ai_chat", config)).code is ErrorCode.DEADLINE_EXCEEDED
    assert (len(server.asked), step.spendings) == (2, [])
    server.answer({"text": "x" * 40, "stall": True})
    config = settings(server, prompt="Hi", timeout_seconds=2)
    assert (await failure(run, "ai_chat", config)).code is ErrorCode.DEADLINE_EXCEEDED
    server.answer({"text": "x" * 40, "break_off": True})
    assert (await failure(run, "ai_chat", settings(server, prompt="Hi"))).code is ErrorCode.COMPONENT_FAILED
    assert [spent["tokens_out"] for spent in step.spendings] == [10, 10]


async def test_an_endpoint_in_a_private_network_needs_the_owners_leave(step, server: ModelServer) -> None:
    component = AiChat(NetworkPolicy())
    config = component.parse_config(settings(server, prompt="Hi", tries=5))
    with pytest.raises(FloworkError, match="ENGINE_HTTP_PRIVATE_NETWORKS") as caught:
        await component.execute(step, config, Payload())
    assert caught.value.code is ErrorCode.FORBIDDEN
    assert server.asked == []


@pytest.mark.parametrize("url", ["ftp://x/v1", "example.com/v1", "http://u:p@example.com/v1", "http://[::1"])
async def test_addresses_that_are_not_for_the_web_are_refused(run, server: ModelServer, url: str) -> None:
    error = await failure(run, "ai_chat", settings(server, prompt="Hi") | {"base_url": url})
    assert error.code is ErrorCode.INVALID_REQUEST


async def test_nothing_to_ask_is_an_error(run, server: ModelServer) -> None:
    assert (await failure(run, "ai_chat", settings(server, prompt=" "))).code is ErrorCode.INVALID_REQUEST
    assert server.asked == []


async def test_the_budget_of_the_run_ends_it_before_the_next_call(run, server: ModelServer, step) -> None:
    config = settings(server, prompt="Hi", max_run_tokens=20)
    await run("ai_chat", config)
    await run("ai_chat", config)
    assert [asked["max_tokens"] for asked in server.asked] == [20, 5]
    error = await failure(run, "ai_chat", config)
    assert error.code is ErrorCode.BUDGET_EXCEEDED
    assert "30 tokens" in error.message
    assert not worth_retrying(error)
    assert len(server.asked) == 2


async def test_the_cost_of_the_run_ends_it_too(run, server: ModelServer) -> None:
    config = settings(server, prompt="Hi", max_run_cost="0.03", prices=PRICES)
    await run("ai_chat", config)
    await run("ai_chat", config)
    assert [asked["max_tokens"] for asked in server.asked] == [15, 6]
    error = await failure(run, "ai_chat", config)
    assert (error.code, "0.036 USD" in error.message) == (ErrorCode.BUDGET_EXCEEDED, True)
    unpriced = await failure(run, "ai_chat", config | {"prices": []})
    assert unpriced.code is ErrorCode.INVALID_REQUEST


@pytest.mark.parametrize(
    ("format_", "text"),
    [
        ("json_schema", '{"name": "Anna", "age": 5}'),
        ("json_object", '```json\n{"name": "Anna", "age": 5}\n```'),
        ("text", '  {"name": "Anna", "age": 5}\n'),
    ],
)
async def test_facts_come_in_the_wanted_shape(
    run, server: ModelServer, step, format_: str, text: str
) -> None:
    server.answer(said(text))
    config = settings(server, text="Anna is 5", shape=json.dumps(PERSON), answer_format=format_)
    data = (await run("ai_extract", config)).outputs["success"].data
    assert (data["result"], data["repaired"]) == ({"name": "Anna", "age": 5}, False)
    wanted = server.asked[0].get("response_format")
    assert (wanted and wanted["type"]) == (None if format_ == "text" else format_)
    assert [spent["kind"] for spent in step.spendings] == ["chat"]


async def test_a_wrong_answer_is_corrected_once(run, server: ModelServer, step) -> None:
    server.answer(said('{"age": "x"}'), said('{"name": "Anna"}'))
    config = settings(server, text="Anna", shape=PERSON)
    data = (await run("ai_extract", config)).outputs["success"].data
    assert (data["result"], data["repaired"], len(step.spendings)) == ({"name": "Anna"}, True, 2)
    assert "'name' is a required property" in server.asked[1]["messages"][-1]["content"] or "$.age" in str(
        server.asked[1]["messages"][-1]
    )
    server.answer(said("no idea"))
    error = await failure(run, "ai_extract", config)
    assert (error.code, "also not corrected" in error.message) == (ErrorCode.COMPONENT_FAILED, True)
    assert len(server.asked) == 4


@pytest.mark.parametrize(
    "shape",
    [
        {"type": "nothing"}, {"pattern": "(?=x)"}, {"patternProperties": {"(a+)+$": {}}},
        {"properties": {"a": {"items": [{"pattern": "(a)\\1"}]}}},
    ],
)  # fmt: skip
async def test_a_wrong_schema_asks_nobody(run, server: ModelServer, shape) -> None:
    error = await failure(run, "ai_extract", settings(server, text="x", shape=shape))
    assert (error.code, server.asked) == (ErrorCode.INVALID_REQUEST, [])


async def test_a_schema_neither_fetches_anything_nor_takes_the_engines_time(run, server: ModelServer) -> None:
    server.answer(said('"' + "a" * 50_000 + 'b"'))
    await failure(run, "ai_extract", settings(server, text="x", shape={"pattern": "^(a+)+$"}))
    asked = len(server.asked)
    elsewhere = {"$ref": f"{server.url}/schema.json"}
    error = await failure(run, "ai_extract", settings(server, text="x", shape=elsewhere))
    assert "refers to what is not in it" in error.message
    assert len(server.asked) == asked + 2


async def test_texts_become_vectors_in_their_order(run, server: ModelServer, step) -> None:
    texts = [f"{'x' * number}" for number in range(1, 8)]
    config = settings(server, texts=texts, batch_size=3, dimensions=2, prices=PRICES)
    data = (await run("ai_embeddings", config)).outputs["success"].data
    assert data["vectors"] == [[float(number), 1.0] for number in range(1, 8)]
    assert (data["count"], data["dimensions"]) == (7, 2)
    assert [len(asked["input"]) for asked in server.asked] == [3, 3, 1]
    assert (server.asked[0]["dimensions"], server.asked[0]["encoding_format"]) == (2, "float")
    assert data["usage"]["cost"] == 0.007
    assert [spent["kind"] for spent in step.spendings] == ["embeddings"] * 3
    single = (await run("ai_embeddings", settings(server, texts="one"))).outputs["success"].data
    assert single["vectors"] == [[3.0, 1.0]]


async def test_a_missing_vector_fails_the_step(run, server: ModelServer) -> None:
    server.answer({"lose_one": True})
    error = await failure(run, "ai_embeddings", settings(server, texts=["a", "b"]))
    assert error.code is ErrorCode.COMPONENT_FAILED


@pytest.mark.parametrize("name", ["ai_chat", "ai_extract", "ai_embeddings"])
async def test_the_examples_run_in_the_engine_and_are_counted(
    engine, registry, server: ModelServer, name: str
) -> None:
    server.answer(said('{"name": "Anna", "amount": 120}'))
    example = registry.example(name)
    given = example["initial_payload"]["data"] | {"base_url": server.url}
    details, frames = await engine.run(example, given)
    assert details.run.status is RunStatus.SUCCEEDED
    assert details.usage is not None
    assert details.usage.tokens_in > 0
    assert [frame["node_id"] for frame in frames if frame["type"] == "NODE_USAGE"] == ["step"]
    assert [frame["title"] for frame in frames if frame["type"] == "SHOW_DEBUG_POPUP"] == ["Result"]
    asked = len(server.asked)
    simulated, _ = await engine.run(example, given, RunMode.SIMULATE)
    assert (simulated.run.status, simulated.usage, len(server.asked)) == (RunStatus.SUCCEEDED, None, asked)


def test_lines_are_cut_where_one_would_cut_them() -> None:
    written: list[str] = []
    lines = LogLines(written.append)
    text = ("A sentence of some length. " * 20) + "y" * 2500 + " tail"
    for start in range(0, len(text), 7):
        lines.add(text[start : start + 7])
    lines.end()
    assert "".join(written).replace(" ", "") == text.replace(" ", "")
    assert all(len(line) <= 1000 for line in written)
    assert len(written) < 12
