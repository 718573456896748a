"""Asks a web server."""

from __future__ import annotations

from typing_extensions import override

from core_engine.components.builtin.http_request.answer import HttpAnswer
from core_engine.components.builtin.http_request.config import HttpConfig
from core_engine.components.builtin.http_request.conversation import Conversation
from core_engine.components.builtin.http_request.tokens import TokenCache
from core_engine.components.network import NetworkPolicy
from core_engine.kernel.component import Component, Execution, StepPolicy
from core_engine.kernel.context import Context
from core_engine.kernel.payload import Payload, Result
from shared.errors import ErrorCode, FloworkError

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class HttpRequest(Component[HttpConfig]):
    """Sends a request."""

    id = "http_request"
    name = "HTTP request"
    description = (
        "Sends a request to a web server, follows its pages, and hands its answer on or saves it to a file."
    )
    category = "Network"
    version = "1.1.0"
    policy = StepPolicy.ONCE
    execution = Execution.ASYNC
    config_model = HttpConfig

    def __init__(self, network: NetworkPolicy) -> None:
        self._network = network
        self._tokens = TokenCache()

    @override
    def policy_for(self, config: HttpConfig) -> StepPolicy:
        """Asking is repeatable, doing is not, unless the server honours an idempotency key."""
        if config.after_crash == "key":
            return StepPolicy.KEYED
        repeatable = config.after_crash == "auto" and config.method in _SAFE_METHODS
        return StepPolicy.REPEATABLE if repeatable else StepPolicy.ONCE

    @override
    async def execute(self, context: Context, config: HttpConfig, payload: Payload) -> Result:
        """Return ``status``, ``reason``, ``url``, ``headers``, ``body``, ``size_bytes`` and ``elapsed_ms``.

        With a file also ``file`` (``path``, ``sha256``); with paging ``pages`` and ``more_pages``, and ``body`` is
        the list of the items of all pages.
        """
        answer = await Conversation(config, self._network, context, self._tokens).run()
        context.log(
            f"{config.method} {answer.url_shown} answered {answer.status} in {answer.elapsed_ms:.0f} ms."
        )
        if config.fail_on_status and answer.status >= 400:
            message = f"{config.method} {answer.url_shown} answered {answer.status} {answer.reason}."
            raise FloworkError(ErrorCode.COMPONENT_FAILED, message, details=answer.to_wire())
        return Result.on("success", answer.to_wire(), payload.history)

    @override
    async def simulate(self, context: Context, config: HttpConfig, payload: Payload) -> Result:
        """Send nothing and write nothing; return an empty answer of status 200."""
        context.log(f"Simulated: would send {config.method} {config.url.partition('?')[0]}.")
        answer = HttpAnswer(
            status=200, reason="Simulated", url=config.url, headers={}, body=None, size_bytes=0
        )
        return Result.on("success", {**answer.to_wire(), "simulated": True}, payload.history)
