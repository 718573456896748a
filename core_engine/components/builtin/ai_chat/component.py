"""Asks a language model."""

from __future__ import annotations

import asyncio

from pydantic import Field
from typing_extensions import override

from core_engine.components.ai.messages import Said, conversation, read_images, texts_of
from core_engine.components.ai.model import open_model
from core_engine.components.ai.settings import ChatConfig
from core_engine.components.builtin.ai_chat.lines import LogLines
from core_engine.components.fields import JsonList, Words, form
from core_engine.components.network import NetworkPolicy
from core_engine.kernel.component import Component, Execution
from core_engine.kernel.context import Context
from core_engine.kernel.payload import Payload, Result


class AiChatConfig(ChatConfig):
    """What to ask."""

    system: str = Field(
        "", max_length=1_000_000, title="Instructions", description="Who the model is and how it shall answer.",
        json_schema_extra=form(widget="textarea", rows=4),
    )  # fmt: skip
    prompt: str = Field(
        "", max_length=4_000_000, description="The question or task.",
        json_schema_extra=form(widget="textarea", rows=6, placeholder="Summarize: {{ data.text }}"),
    )  # fmt: skip
    messages: JsonList[Said] = Field(
        default_factory=list, max_length=1000, title="Earlier messages",
        description='What was said before the prompt: [{"role": "user", "content": "…"}].',
    )  # fmt: skip
    images: Words = Field(
        default_factory=list, max_length=20,
        description=(
            "Images that go with the prompt, for models that see: files inside the folders that workflows may use,"
            " or web addresses, which the endpoint fetches."
        ),
    )  # fmt: skip
    stream: bool = Field(True, description="Show the answer in the log while it is being written.")


class AiChat(Component[AiChatConfig]):
    """Chats."""

    id = "ai_chat"
    name = "AI chat"
    description = "Asks a language model at any endpoint that speaks the OpenAI API and hands its answer on."
    category = "AI"
    execution = Execution.ASYNC
    config_model = AiChatConfig

    def __init__(self, network: NetworkPolicy) -> None:
        self._network = network

    @override
    async def execute(self, context: Context, config: AiChatConfig, payload: Payload) -> Result:
        """Return ``text``, ``model``, ``finish_reason``, ``messages`` (with the answer) and ``usage``."""
        images = await asyncio.to_thread(read_images, config.images, context.files)
        messages = conversation(config.system, config.messages, config.prompt, images)
        lines = LogLines(context.log)
        async with open_model(config, self._network, context) as model:
            reply = await model.chat(messages, config, on_text=lines.add if config.stream else None)
            lines.end()
            data = {
                "text": reply.text,
                "model": reply.model,
                "finish_reason": reply.finish_reason,
                "messages": texts_of([*messages, reply.to_message()]),
                "usage": model.meter.to_wire(),
            }
        if reply.finish_reason == "length":
            context.log("The answer was cut off at the longest length.", "WARN")
        return Result.on("success", data, payload.history)

    @override
    async def simulate(self, context: Context, config: AiChatConfig, payload: Payload) -> Result:
        """Ask nobody; return an empty answer."""
        context.log(f"Simulated: would ask {config.model}.")
        messages = texts_of(conversation(config.system, config.messages, config.prompt or "-", []))
        data = {"text": "", "model": config.model, "finish_reason": "stop", "messages": messages}
        return Result.on("success", {**data, "simulated": True}, payload.history)
