"""A server on loopback that speaks the OpenAI API: answers as a test says, and remembers what it was asked."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

Answer = dict[str, Any]


def said(text: str, **more: Any) -> Answer:
    """An answer of the model."""
    return {"text": text, "usage": {"prompt_tokens": 12, "completion_tokens": 3, "total_tokens": 15}, **more}


def wants(name: str, arguments: dict[str, Any] | str, **more: Any) -> Answer:
    """The model wants a tool to be used."""
    spelled = arguments if isinstance(arguments, str) else json.dumps(arguments)
    call = {"id": f"call-{name}", "type": "function", "function": {"name": name, "arguments": spelled}}
    return said("", tool_calls=[call], **more)


class ModelServer:
    """Gives its ``answers`` one after the other; the last one again and again. ``asked`` are the requests."""

    def __init__(self) -> None:
        self.answers: deque[Answer] = deque([said("fine")])
        self.asked: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.url = ""
        self.never = asyncio.Event()

    def answer(self, *answers: Answer) -> None:
        self.answers = deque(answers)

    async def chat(self, request: web.Request) -> web.StreamResponse:
        body, answer = await self._take(request)
        if special := await self._special(answer):
            return special
        if body.get("stream"):
            return await self._stream(request, answer, body)
        message = {"role": "assistant", "content": answer["text"] or None}
        if "tool_calls" in answer:
            message["tool_calls"] = answer["tool_calls"]
        choice = {"index": 0, "message": message, "finish_reason": answer.get("finish", "stop")}
        whole = {
            "id": "c",
            "object": "chat.completion",
            "created": 1,
            "model": body["model"],
            "choices": [choice],
        }
        return web.json_response(whole | _usage(answer))

    async def embeddings(self, request: web.Request) -> web.StreamResponse:
        body, answer = await self._take(request)
        if special := await self._special(answer):
            return special
        items = [
            {"object": "embedding", "index": index, "embedding": [float(len(text)), 1.0]}
            for index, text in enumerate(body["input"])
        ]
        items = items[:-1] if answer.get("lose_one") else items[::-1]
        usage = {"prompt_tokens": len(body["input"]), "total_tokens": len(body["input"])}
        return web.json_response({"object": "list", "model": body["model"], "data": items, "usage": usage})

    async def _take(self, request: web.Request) -> tuple[dict[str, Any], Answer]:
        body = await request.json()
        self.asked.append(body)
        self.headers.append({name.lower(): value for name, value in request.headers.items()})
        return body, self.answers.popleft() if len(self.answers) > 1 else self.answers[0]

    async def _special(self, answer: Answer) -> web.Response | None:
        if "status" in answer:
            error = {"message": answer.get("message", "no"), "type": "t", "code": answer.get("code")}
            headers = {"Retry-After": answer["retry_after"]} if "retry_after" in answer else {}
            return web.json_response({"error": error}, status=answer["status"], headers=headers)
        if "raw" in answer:
            return web.Response(body=answer["raw"], content_type=answer.get("type", "application/json"))
        if answer.get("hang"):
            await self.never.wait()
        return None

    async def _stream(self, request: web.Request, answer: Answer, body: dict[str, Any]) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        base = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": body["model"]}
        pieces = answer.get("pieces") or [answer["text"]]
        for piece in pieces:
            choice = {"index": 0, "delta": {"content": piece}, "finish_reason": None}
            await _event(response, base | {"choices": [choice]})
        if answer.get("break_off"):
            request.transport.close()
            return response
        if answer.get("stall"):
            await self.never.wait()
        last = {"index": 0, "delta": {}, "finish_reason": answer.get("finish", "stop")}
        await _event(response, base | {"choices": [last]})
        if answer.get("usage") and body.get("stream_options", {}).get("include_usage"):
            await _event(response, base | {"choices": []} | _usage(answer))
        await response.write(b"data: [DONE]\n\n")
        return response


async def _event(response: web.StreamResponse, value: dict[str, Any]) -> None:
    await response.write(b"data: " + json.dumps(value).encode() + b"\n\n")


def _usage(answer: Answer) -> dict[str, Any]:
    return {"usage": answer["usage"]} if answer.get("usage") else {}


@asynccontextmanager
async def model_server() -> AsyncIterator[ModelServer]:
    """Serve on a free port of loopback."""
    made = ModelServer()
    app = web.Application(client_max_size=32 << 20)
    app.router.add_post("/v1/chat/completions", made.chat)
    app.router.add_post("/v1/embeddings", made.embeddings)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    try:
        yield made
    finally:
        made.never.set()
        await runner.cleanup()
