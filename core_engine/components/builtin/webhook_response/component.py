"""Says what a webhook's caller that waits for the end of the run is answered."""

from __future__ import annotations

from typing import Any

from pydantic import Field
from typing_extensions import override

from core_engine.components.fields import JsonList, NamedValue, form, typed_values
from core_engine.kernel.component import Component, Config
from core_engine.kernel.context import Context
from core_engine.kernel.payload import Payload, Result


class ResponseConfig(Config):
    """The answer."""

    status: int = Field(200, ge=200, le=599, description="HTTP status of the answer.")
    headers: JsonList[NamedValue] = Field(
        default_factory=list, max_length=50, description="Headers of the answer."
    )
    body: Any = Field(
        None, description="Body of the answer: text as it is, anything else as JSON; empty: the data of this step.",
        json_schema_extra=form(widget="textarea", placeholder="{{ data }}", rows=6),
    )  # fmt: skip


class WebhookResponse(Component[ResponseConfig]):
    """Gives the answer of a webhook."""

    id = "webhook_response"
    name = "Webhook response"
    description = "Says what a webhook's caller is answered that waits for the end of the run."
    category = "Triggers"
    config_model = ResponseConfig

    @override
    def execute(self, context: Context, config: ResponseConfig, payload: Payload) -> Result:
        """Return ``status``, ``headers`` and ``body``."""
        headers = {name: str(value) for name, value in typed_values(config.headers).items()}
        body = payload.data if config.body in (None, "") else config.body
        return Result.on(
            "success", {"status": config.status, "headers": headers, "body": body}, payload.history
        )
