"""Asks a web server."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field
from typing_extensions import override

from core_engine.components.builtin.http_request.exchange import Exchange, HttpAnswer
from core_engine.components.fields import JsonList, NamedValue, form
from core_engine.components.network import NetworkPolicy
from core_engine.kernel.component import Component, Config, Execution, StepPolicy
from core_engine.kernel.context import Context
from core_engine.kernel.payload import Payload, Result
from shared.errors import ErrorCode, FloworkError

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class HttpConfig(Config):
    """The request."""

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"] = Field(
        "GET", description="What to ask the server to do."
    )
    url: str = Field(
        min_length=1, max_length=8000, description="Address, starting with https:// or http://.",
        json_schema_extra=form(placeholder="https://example.com/orders/{{ data.id }}"),
    )  # fmt: skip
    query: JsonList[NamedValue] = Field(
        default_factory=list,
        title="Query",
        max_length=200,
        description="Names and values added to the address after ?.",
    )
    headers: JsonList[NamedValue] = Field(
        default_factory=list, max_length=100, description="Names and values sent as headers."
    )
    auth: Literal["none", "basic", "bearer"] = Field(
        "none", title="Sign in", description="How the request proves who it is."
    )
    username: str = Field("", max_length=1000, description="User name, for basic.")
    password: str = Field(
        "", max_length=4000, description="Password, for basic; better a secret variable than the text itself.",
        json_schema_extra=form(placeholder="{{ vars.API_PASSWORD }}", secret=True),
    )  # fmt: skip
    token: str = Field(
        "", max_length=16_000, description="Token, for bearer; better a secret variable than the text itself.",
        json_schema_extra=form(placeholder="{{ vars.API_TOKEN }}", secret=True),
    )  # fmt: skip
    body_kind: Literal["none", "json", "form", "text"] = Field("none", description="What is sent along.")
    body: Any = Field(
        None, description="The body, for json (any value, or JSON as text) and text.",
        json_schema_extra=form(widget="textarea", rows=6, placeholder="{{ data }}"),
    )  # fmt: skip
    form_fields: JsonList[NamedValue] = Field(
        default_factory=list, max_length=500, description="Names and values of the form, for form."
    )
    timeout_seconds: float = Field(
        30.0, gt=0, le=3600, description="Longest time the whole exchange may take, in seconds."
    )
    max_response_kib: int = Field(
        4096, ge=1, le=65_536, title="Largest answer (KiB)", description="A larger answer is refused, in KiB."
    )
    follow_redirects: bool = Field(True, description="Go where the server redirects to, at most ten times.")
    fail_on_status: bool = Field(
        True, description="Treat an answer of status 400 and above as a failure of the step."
    )
    after_crash: Literal["auto", "key", "once"] = Field(
        "auto",
        description=(
            "When a crash leaves the outcome unknown. auto: repeat GET, HEAD and OPTIONS, never anything else."
            " key: repeat, and send the same Idempotency-Key header, for servers that honour it. once: never repeat."
        ),
    )


class HttpRequest(Component[HttpConfig]):
    """Sends a request."""

    id = "http_request"
    name = "HTTP request"
    description = "Sends a request to a web server and hands its answer on."
    category = "Network"
    policy = StepPolicy.ONCE
    execution = Execution.ASYNC
    config_model = HttpConfig

    def __init__(self, network: NetworkPolicy) -> None:
        self._network = network

    @override
    def policy_for(self, config: HttpConfig) -> StepPolicy:
        """Asking is repeatable, doing is not, unless the server honours an idempotency key."""
        if config.after_crash == "key":
            return StepPolicy.KEYED
        repeatable = config.after_crash == "auto" and config.method in _SAFE_METHODS
        return StepPolicy.REPEATABLE if repeatable else StepPolicy.ONCE

    @override
    async def execute(self, context: Context, config: HttpConfig, payload: Payload) -> Result:
        """Return ``status``, ``reason``, ``url``, ``headers``, ``body``, ``size_bytes`` and ``elapsed_ms``."""
        key = context.idempotency_key if config.after_crash == "key" else None
        answer = await Exchange(config, self._network).run(key)
        context.log(
            f"{config.method} {answer.url_shown} answered {answer.status} in {answer.elapsed_ms:.0f} ms."
        )
        if config.fail_on_status and answer.status >= 400:
            message = f"{config.method} {answer.url_shown} answered {answer.status} {answer.reason}."
            raise FloworkError(ErrorCode.COMPONENT_FAILED, message, details=answer.to_wire())
        return Result.on("success", answer.to_wire(), payload.history)

    @override
    async def simulate(self, context: Context, config: HttpConfig, payload: Payload) -> Result:
        """Send nothing; return an empty answer of status 200."""
        context.log(f"Simulated: would send {config.method} {config.url.partition('?')[0]}.")
        answer = HttpAnswer(
            status=200, reason="Simulated", url=config.url, headers={}, body=None, size_bytes=0
        )
        return Result.on("success", {**answer.to_wire(), "simulated": True}, payload.history)
