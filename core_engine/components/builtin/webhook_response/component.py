"""Says what whoever called a webhook gets as the answer."""

from __future__ import annotations

import json
import re
from typing import Any, Literal

from pydantic import Field, field_validator
from typing_extensions import override

from core_engine.components.fields import JsonList, NamedValue, form, typed_values
from core_engine.kernel.component import Component, Config
from core_engine.kernel.context import Context
from core_engine.kernel.payload import Payload, Result
from shared.errors import ErrorCode, FloworkError

MEMBER = "webhook_response"
"""Member of the data that holds the answer: ``{"status", "headers", "body"}``."""

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,200}")
_OWN_HEADERS = frozenset(
    {"content-length", "transfer-encoding", "connection", "upgrade", "trailer", "te", "keep-alive", "date", "server"}
)  # fmt: skip
_TYPES = {"json": "application/json", "text": "text/plain; charset=utf-8", "html": "text/html; charset=utf-8"}


class WebhookResponseConfig(Config):
    """The answer."""

    status: int = Field(200, ge=200, le=599, description="Status of the answer, such as 200, 202 or 404.")
    body_kind: Literal["json", "text", "html", "none"] = Field("json", description="What the answer holds.")
    body: Any = Field(
        None, description="The body: any value (json), or a text; empty takes the whole data.",
        json_schema_extra=form(widget="textarea", rows=6, placeholder="{{ data }}"),
    )  # fmt: skip
    headers: JsonList[NamedValue] = Field(
        default_factory=list, max_length=50, description="Names and values of further headers."
    )

    @field_validator("headers")
    @classmethod
    def _may_be_set(cls, headers: list[NamedValue]) -> list[NamedValue]:
        for header in headers:
            if not _TOKEN.fullmatch(header.name) or header.name.lower() in _OWN_HEADERS:
                raise ValueError(f"the header {header.name!r} cannot be set")
        return headers


class WebhookResponse(Component[WebhookResponseConfig]):
    """Answers a webhook."""

    id = "webhook_response"
    name = "Webhook response"
    description = "Sets the answer that the caller gets when a webhook started the run and waits for it."
    category = "Network"
    config_model = WebhookResponseConfig

    @override
    def execute(self, context: Context, config: WebhookResponseConfig, payload: Payload) -> Result:
        """Return the data with the answer as ``webhook_response``; the trigger sends it. Elsewhere it has no effect.

        ``headers`` is an object of texts with lower-case names. ``body`` is a text: JSON is written out already.
        """
        answer = {"status": config.status, "headers": _headers(config), "body": _body(config, payload.data)}
        data = payload.data if isinstance(payload.data, dict) else {"data": payload.data}
        return Result.on("success", {**data, MEMBER: answer}, payload.history)


def _headers(config: WebhookResponseConfig) -> dict[str, str]:
    headers = {"content-type": _TYPES[config.body_kind]} if config.body_kind in _TYPES else {}
    for name, value in typed_values(config.headers).items():
        text = value if isinstance(value, str) else json.dumps(value)
        if len(text) > 8000 or any(ord(sign) < 32 or ord(sign) == 127 for sign in text):
            raise FloworkError(ErrorCode.INVALID_REQUEST, f"The header {name!r} cannot have this value.")
        headers[name.lower()] = text
    return headers


def _body(config: WebhookResponseConfig, data: Any) -> str:
    if config.body_kind == "none":
        return ""
    given = data if config.body in (None, "") else config.body
    if config.body_kind == "json" or not isinstance(given, str):
        return json.dumps(given, ensure_ascii=False)
    return given
