"""The settings every component that asks a model has: where, which model, at which price, up to which limit."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import Field

from core_engine.components.fields import JsonList, Part, form
from core_engine.kernel.component import Config

_Price = Annotated[Decimal, Field(ge=0, le=1_000_000, allow_inf_nan=False)]


class ModelPrice(Part):
    """What a model costs per million tokens; the model ``*`` stands for every other one."""

    model: str = Field(min_length=1, max_length=200)
    input: _Price = Decimal(0)
    output: _Price = Decimal(0)


class ModelConfig(Config):
    """Where to ask."""

    base_url: str = Field(
        "https://api.openai.com/v1", min_length=1, max_length=2000, title="Endpoint",
        description=(
            "Address of the API, up to and with /v1. One in your own network has to be allowed by the engine's owner"
            " (ENGINE_HTTP_PRIVATE_NETWORKS)."
        ),
        json_schema_extra=form(placeholder="http://127.0.0.1:11434/v1"),
    )  # fmt: skip
    api_key: str = Field(
        "", max_length=4000, title="API key",
        description="The key of the endpoint, if it wants one; better a secret variable than the text itself.",
        json_schema_extra=form(placeholder="{{ vars.AI_KEY }}", secret=True),
    )  # fmt: skip
    model: str = Field(
        min_length=1, max_length=200, description="Name of the model, as the endpoint calls it.",
        json_schema_extra=form(placeholder="llama3.2"),
    )  # fmt: skip
    prices: JsonList[ModelPrice] = Field(
        default_factory=list, max_length=200,
        description=(
            'What models cost per million tokens: [{"model": "small", "input": 0.15, "output": 0.6}]. The model *'
            " stands for every other one. Without a price the tokens are counted and the cost is 0."
        ),
    )  # fmt: skip
    currency: str = Field(
        "USD", pattern=r"^[A-Za-z]{2,10}$", description="The currency of the prices and of the largest cost."
    )
    max_run_tokens: int = Field(
        0, ge=0, le=10**12, title="Most tokens of a run",
        description="No further call once the whole run has used this many tokens; 0 for no limit.",
    )  # fmt: skip
    max_run_cost: float = Field(
        0.0, ge=0, le=10**9, allow_inf_nan=False, title="Largest cost of a run",
        description="No further call once the whole run has cost this much; 0 for no limit.",
    )  # fmt: skip
    timeout_seconds: float = Field(
        120.0, gt=0, le=3600, description="Longest time one call may take, in seconds."
    )
    tries: int = Field(
        3, ge=1, le=10,
        description="How often a call is tried when the endpoint is busy, fails or cannot be reached.",
    )  # fmt: skip


class ChatConfig(ModelConfig):
    """How to answer."""

    temperature: float | None = Field(
        None, ge=0, le=2, description="How much chance is in the answer, 0 to 2; empty for the model's own."
    )
    max_tokens: int | None = Field(
        None, ge=1, le=10_000_000, description="Longest answer of one call in tokens; empty for the model's own limit."
    )  # fmt: skip
    token_limit_name: Literal["max_tokens", "max_completion_tokens"] = Field(
        "max_tokens", description="What the endpoint calls the longest answer; some newer models want the second."
    )  # fmt: skip

    def sampling(self) -> dict[str, Any]:
        """Return the members of a request that say how to answer, but for the token limit."""
        return {} if self.temperature is None else {"temperature": self.temperature}
