"""One model behind one endpoint: calls within time and budget, tried again when the endpoint is busy."""

from __future__ import annotations

import asyncio
import importlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from yarl import URL

from core_engine.components.ai.meter import Meter, Tokens
from core_engine.components.ai.settings import ChatConfig, ModelConfig
from core_engine.components.network import NetworkPolicy
from core_engine.kernel.context import Context
from shared.errors import ErrorCode, FloworkError

if TYPE_CHECKING:
    from openai import AsyncOpenAI

    from core_engine.components.ai.transport import GuardedTransport

MOST_BYTES = 64 * 1024 * 1024
MOST_CHARACTERS = 4 * 1024 * 1024
_FIRST_PAUSE = 0.5
_PAUSE_GROWTH = 2.0
_MODULES = ("openai", "openai.resources.chat.completions", "openai.resources.embeddings")
Message = dict[str, Any]
OnText = Callable[[str], None]
Got = TypeVar("Got")


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool the model wants to be used; ``arguments`` is the text it wrote, which should be JSON."""

    id: str
    name: str
    arguments: str

    def to_wire(self) -> Message:
        """Return it as a part of the model's message."""
        call = {"name": self.name, "arguments": self.arguments}
        return {"id": self.id, "type": "function", "function": call}


@dataclass(frozen=True, slots=True)
class Reply:
    """What a model answered."""

    text: str
    finish_reason: str
    model: str
    tool_calls: tuple[ToolCall, ...] = ()

    def to_message(self) -> Message:
        """Return it as a message of the conversation."""
        message: Message = {"role": "assistant", "content": self.text}
        if self.tool_calls:
            message["tool_calls"] = [call.to_wire() for call in self.tool_calls]
        return message


@dataclass(slots=True)
class _Stream:
    """A streamed answer, as far as it has come."""

    text: str = ""
    finish_reason: str = ""
    model: str = ""
    usage: Any = None
    touched: bool = field(default=False)


@asynccontextmanager
async def open_model(config: ModelConfig, network: NetworkPolicy, context: Context) -> AsyncIterator[Model]:
    """Connect to the endpoint of the settings for the time of a step. Raises FloworkError INVALID_REQUEST."""
    base_url = _checked_url(config.base_url)
    for name in _MODULES:  # takes seconds the first time, so not on the event loop
        await asyncio.to_thread(importlib.import_module, name)
    import httpx2  # noqa: PLC0415 - heavy, only where used
    from openai import AsyncOpenAI  # noqa: PLC0415 - heavy, only where used

    from core_engine.components.ai.transport import GuardedTransport  # noqa: PLC0415 - heavy, only where used

    transport = GuardedTransport(network, config.api_key, MOST_BYTES)
    http = httpx2.AsyncClient(transport=transport, follow_redirects=False, trust_env=False, timeout=None)
    async with http:
        client = AsyncOpenAI(
            api_key=config.api_key or "none", base_url=base_url, http_client=http, max_retries=0, timeout=None
        )
        yield Model(config, client, transport, Meter(config, context))


class Model:
    """Asks one model; every call is counted by ``meter``. Made by `open_model`.

    Every method raises FloworkError: BUDGET_EXCEEDED, INVALID_REQUEST, UNAUTHENTICATED, FORBIDDEN, TOO_LARGE,
    RATE_LIMITED, DEADLINE_EXCEEDED, COMPONENT_FAILED.
    """

    def __init__(
        self, config: ModelConfig, client: AsyncOpenAI, transport: GuardedTransport, meter: Meter
    ) -> None:
        self._config = config
        self._client = client
        self._transport = transport
        self.meter = meter

    async def chat(
        self, messages: Sequence[Message], config: ChatConfig, *, on_text: OnText | None = None, **more: Any
    ) -> Reply:
        """Return the answer to a conversation; with ``on_text`` it is told piece by piece while it comes."""
        request: dict[str, Any] = {"model": config.model, "messages": list(messages)}
        request |= config.sampling() | more

        async def once() -> Reply:
            if longest := self.meter.longest_answer(config.max_tokens):
                request[config.token_limit_name] = longest
            return await (self._streamed(request, on_text) if on_text else self._whole(request))

        return await self._try(once)

    async def embed(self, texts: Sequence[str], dimensions: int | None) -> list[list[float]]:
        """Return a vector for each text."""
        more: dict[str, Any] = {} if dimensions is None else {"dimensions": dimensions}

        async def once() -> list[list[float]]:
            answer = await self._client.embeddings.create(
                model=self._config.model, input=list(texts), encoding_format="float", **more
            )
            tokens = Tokens.counted(answer.usage) or Tokens.guess("".join(texts), "")
            self.meter.count("embeddings", tokens)
            return _vectors(answer.data, len(texts))

        return await self._try(once)

    async def _whole(self, request: dict[str, Any]) -> Reply:
        answer = await self._client.chat.completions.create(**request)
        choice = answer.choices[0]
        text = choice.message.content or ""
        calls = tuple(
            ToolCall(str(call.id), str(call.function.name), str(call.function.arguments))
            for call in choice.message.tool_calls or ()
            if call.type == "function"
        )
        written = text + "".join(call.arguments for call in calls)
        self.meter.count("chat", Tokens.counted(answer.usage) or Tokens.guess(_spelled(request), written))
        if not isinstance(text, str):
            raise TypeError("the content is no text")
        return Reply(text, str(choice.finish_reason or ""), str(answer.model), calls)

    async def _streamed(self, request: dict[str, Any], on_text: OnText) -> Reply:
        come = _Stream(model=self._config.model)
        try:
            stream = await self._client.chat.completions.create(
                **request, stream=True, stream_options={"include_usage": True}
            )
            async with stream:
                async for chunk in stream:
                    _take(come, chunk, on_text)
        finally:  # what has come is paid for, also when the rest does not come
            if come.touched:
                tokens = Tokens.counted(come.usage) or Tokens.guess(_spelled(request), come.text)
                self.meter.count("chat", tokens)
        if not come.finish_reason and not come.text:
            raise ValueError("the stream held no answer")
        return Reply(come.text, come.finish_reason, come.model)

    async def _try(self, once: Callable[[], Awaitable[Got]]) -> Got:
        from core_engine.components.ai import failures  # noqa: PLC0415 - heavy, only where used

        pause = _FIRST_PAUSE
        for attempt in range(1, self._config.tries + 1):
            self.meter.check()
            try:
                async with asyncio.timeout(self._config.timeout_seconds):
                    return await once()
            except TimeoutError:
                message = f"The model's endpoint did not answer within {self._config.timeout_seconds:g} s."
                raise FloworkError(ErrorCode.DEADLINE_EXCEEDED, message) from None
            except failures.EVERYTHING as error:
                failure = self._transport.refusal or failures.translate(error)
                if attempt == self._config.tries or not failures.may_pass(failure):
                    raise failure from error
                await asyncio.sleep(failure.retry_after or pause)
                pause *= _PAUSE_GROWTH
        raise AssertionError("the last try returns or raises")


def _take(come: _Stream, chunk: Any, on_text: OnText) -> None:
    """Add one piece of a stream; endpoints differ in which members they leave out."""
    come.touched = True
    come.model = str(chunk.model or come.model)
    come.usage = getattr(chunk, "usage", None) or come.usage
    for choice in (chunk.choices or ())[:1]:
        piece = getattr(choice.delta, "content", None)
        if piece:
            come.text += piece
            if len(come.text) > MOST_CHARACTERS:
                raise FloworkError(ErrorCode.TOO_LARGE, "The model's answer is longer than is taken.")
            on_text(piece)
        come.finish_reason = choice.finish_reason or come.finish_reason


def _vectors(items: Sequence[Any], wanted: int) -> list[list[float]]:
    vectors: list[list[float] | None] = [None] * wanted
    for item in items:
        if not 0 <= item.index < wanted or not item.embedding:
            raise ValueError("a vector is out of place")
        vectors[item.index] = [float(number) for number in item.embedding]
    complete = [vector for vector in vectors if vector is not None]
    if len(complete) != wanted:
        raise ValueError(f"{wanted} vectors were asked for and {len(complete)} came")
    return complete


def _spelled(request: dict[str, Any]) -> str:
    return json.dumps([request["messages"], request.get("tools")])


def _checked_url(text: str) -> str:
    try:
        url = URL(text.strip())
    except ValueError as error:
        raise FloworkError(
            ErrorCode.INVALID_REQUEST, f"The endpoint's address is not valid: {error}."
        ) from error
    if url.scheme not in {"http", "https"} or not url.host or url.user or url.password:
        message = "The endpoint's address starts with https:// or http:// and names a host, without user and password."
        raise FloworkError(ErrorCode.INVALID_REQUEST, message)
    return str(url)
