"""Turns texts into vectors."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field
from typing_extensions import override

from core_engine.components.ai.model import open_model
from core_engine.components.ai.settings import ModelConfig
from core_engine.components.fields import form
from core_engine.components.network import NetworkPolicy
from core_engine.kernel.component import Component, Execution
from core_engine.kernel.context import Context
from core_engine.kernel.payload import Payload, Result
from shared.errors import ErrorCode, FloworkError

_MOST_NUMBERS = 20_000_000
_Text = Annotated[str, Field(min_length=1, max_length=1_000_000)]


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


class EmbeddingsConfig(ModelConfig):
    """Which texts."""

    texts: Annotated[list[_Text], BeforeValidator(_as_list)] = Field(
        min_length=1, max_length=20_000, description="A list of texts, or one text.",
        json_schema_extra=form(widget="textarea", rows=4, placeholder="{{ data.texts }}"),
    )  # fmt: skip
    batch_size: int = Field(64, ge=1, le=2048, description="How many texts are sent in one call.")
    dimensions: int | None = Field(
        None, ge=1, le=65_536, description="Length of the vectors, for models that can choose; empty for their own."
    )  # fmt: skip


class AiEmbeddings(Component[EmbeddingsConfig]):
    """Embeds."""

    id = "ai_embeddings"
    name = "AI embeddings"
    description = "Turns texts into vectors, so that texts of like meaning can be found."
    category = "AI"
    execution = Execution.ASYNC
    config_model = EmbeddingsConfig

    def __init__(self, network: NetworkPolicy) -> None:
        self._network = network

    @override
    async def execute(self, context: Context, config: EmbeddingsConfig, payload: Payload) -> Result:
        """Return ``vectors`` in the order of the texts, ``count``, ``dimensions``, ``model`` and ``usage``."""
        vectors: list[list[float]] = []
        size, texts = config.batch_size, config.texts
        async with open_model(config, self._network, context) as model:
            for start in range(0, len(texts), size):
                vectors += await model.embed(texts[start : start + size], config.dimensions)
                if len(vectors) * len(vectors[0]) > _MOST_NUMBERS:
                    raise FloworkError(ErrorCode.TOO_LARGE, "These are too many texts for one step.")
                if len(texts) > size:
                    context.log(f"{len(vectors)} of {len(texts)} texts are done.")
            data = {
                "vectors": vectors,
                "count": len(vectors),
                "dimensions": len(vectors[0]),
                "model": config.model,
                "usage": model.meter.to_wire(),
            }
        return Result.on("success", data, payload.history)

    @override
    async def simulate(self, context: Context, config: EmbeddingsConfig, payload: Payload) -> Result:
        """Ask nobody; return no vectors."""
        context.log(f"Simulated: would embed {len(config.texts)} texts with {config.model}.")
        data = {"vectors": [], "count": 0, "dimensions": 0, "model": config.model, "simulated": True}
        return Result.on("success", data, payload.history)
