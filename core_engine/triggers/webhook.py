"""Takes calls of webhooks: proves them, fires the rule, and answers, maybe with what the run gave."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import msgspec

from core_engine.components.builtin.webhook_trigger.component import WebhookConfig
from core_engine.kernel.payload import MAX_DEPTH
from core_engine.kernel.ports import Runs
from core_engine.storage.triggers import DeliveryRow
from core_engine.triggers.lanes import Outcome, Verdict
from core_engine.triggers.results import RunResult, RunResults
from core_engine.triggers.rules import Rule, id_from
from core_engine.triggers.service import TriggerService
from core_engine.triggers.signatures import (
    PLAIN_HEADERS,
    SECRET_HEADER,
    TIMED_HEADERS,
    Evidence,
    is_proven,
    waste_time,
)
from shared.clock import Clock
from shared.errors import ErrorCode, FloworkError
from shared.signing import strict_json

LARGEST_BODY = 1024 * 1024
LONGEST_WAIT = 60.0
MOST_WAITING = 500
_REMEMBERED_MS = 7 * 86_400_000
_DELIVERY_HEADERS = ("x-delivery-id", "x-github-delivery", "idempotency-key")
_NEVER_TOLD = frozenset({SECRET_HEADER, *PLAIN_HEADERS, *TIMED_HEADERS, "authorization", "cookie"})
_MOST_FIELDS = 1000
_MOST_LIMITS = 10_000
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Call:
    """An HTTP call; ``headers`` by name in lower case. ``hook`` names one of several webhooks of the preset."""

    preset: str
    hook: str | None
    method: str
    headers: Mapping[str, str]
    query: Mapping[str, Any]
    content_type: str
    body: bytes
    wait: float | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """The HTTP answer; ``body`` is a JSON value, or text where ``headers`` say so."""

    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)


class WebhookDesk:
    """Answers calls. A webhook that does not exist and a wrong secret cost a caller the same."""

    def __init__(self, triggers: TriggerService, results: RunResults, clock: Clock) -> None:
        self._triggers = triggers
        self._results = results
        self._clock = clock
        self._allowances: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._waiting = 0

    def body_limit(self, preset: str, hook: str | None) -> int:
        """Return how many bytes a call's body may have."""
        found = self._find(preset, hook)
        return found[1].max_body_kb * 1024 if found else LARGEST_BODY

    async def receive(self, call: Call) -> Reply:
        """Carry out a call; everything that goes wrong is an answer too."""
        found = self._find(call.preset, call.hook)
        if found is None:
            waste_time(Evidence(call.headers, call.body, self._clock.now_ms()))
            self._triggers.counts.deny()
            return Reply(404, {"error": "There is no such webhook."})
        rule, config = found
        refusal = self._refusal(rule, config, call)
        if refusal:
            return refusal
        try:
            return await self._fire(rule, config, call)
        except FloworkError as error:
            status = 503 if error.code is ErrorCode.FORBIDDEN else error.meaning.http
            text = "The webhook cannot start its workflow now." if status == 503 else error.message
            retry = {"Retry-After": "5"} if error.meaning.retryable or status == 503 else {}
            return Reply(status, {"error": text}, retry)

    def _find(self, preset: str, hook: str | None) -> tuple[Rule, WebhookConfig] | None:
        """Return the webhook that is meant: without a hook the first of the preset."""
        for rule in sorted(
            self._triggers.rules.of_kind("webhook"), key=lambda rule: (rule.created_at, rule.id)
        ):
            config = self._triggers.rules.config(rule.id)
            named = hook is None or hook in (rule.id, rule.node)
            if rule.preset == preset and named and isinstance(config, WebhookConfig):
                return rule, config
        return None

    def _refusal(self, rule: Rule, config: WebhookConfig, call: Call) -> Reply | None:
        if not self._proven(rule, config, call):
            self._triggers.counts.add(rule.id, "denied")
            _log.warning("a webhook call was denied", extra={"rule": rule.id})
            return Reply(401, {"error": "The webhook's secret or signature is missing or wrong."})
        if call.method == "GET" and not config.allow_get:
            return Reply(405, {"error": "This webhook takes POST only."}, {"Allow": "POST"})
        pause = self._pause(rule.id, config.rate_per_second)
        if pause:
            self._triggers.counts.add(rule.id, "refused")
            return Reply(
                429, {"error": "Too many calls of this webhook."}, {"Retry-After": str(int(pause) + 1)}
            )
        return None

    def _proven(self, rule: Rule, config: WebhookConfig, call: Call) -> bool:
        try:
            secret = self._triggers.rules.secrets.reveal(rule)
        except FloworkError as error:
            _log.error("a webhook's secret cannot be used", extra={"rule": rule.id, "reason": error.message})
            return False
        return is_proven(config, secret, Evidence(call.headers, call.body, self._clock.now_ms()))

    def _pause(self, rule_id: str, rate: float) -> float:
        """Take one call from the rule's allowance and return 0, or the seconds until there is one."""
        now, most = self._clock.monotonic(), max(1.0, rate)
        left, at = self._allowances.pop(rule_id, (most, now))
        left = min(most, left + (now - at) * rate)
        taken = left >= 1
        self._allowances[rule_id] = (left - 1 if taken else left, now)
        while len(self._allowances) > _MOST_LIMITS:
            self._allowances.popitem(last=False)
        return 0.0 if taken else (1 - left) / rate

    async def _fire(self, rule: Rule, config: WebhookConfig, call: Call) -> Reply:
        delivery = _delivery(config, call.headers)
        known = self._triggers.table.delivered(rule.id, delivery, self._clock.now_ms()) if delivery else None
        if known:
            self._triggers.counts.add(rule.id, "duplicate")
            return Reply(200, {"job_id": known, "duplicate": True})
        event = {
            "body": _read_body(call),
            "headers": {
                name: call.headers[name]
                for name in map(str.lower, config.headers)
                if name in call.headers and name not in _NEVER_TOLD
            },
            "query": dict(call.query),
            "method": call.method,
        }
        run_id = id_from("delivery", rule.id, delivery) if delivery else ""
        row = (
            DeliveryRow(rule.id, delivery, run_id, self._clock.now_ms() + _REMEMBERED_MS)
            if delivery
            else None
        )
        verdict = await self._triggers.fire(rule, event, run_id=run_id, delivery=row)
        return await self._answer(config, call, verdict)

    async def _answer(self, config: WebhookConfig, call: Call, verdict: Verdict) -> Reply:
        told = {"job_id": verdict.run_id, "status": verdict.outcome.value}
        if verdict.outcome is Outcome.REFUSED:
            return Reply(
                429, {"error": "Too many events of this webhook wait already."}, {"Retry-After": "5"}
            )
        if verdict.outcome is Outcome.DUPLICATE:
            return Reply(200, {"job_id": verdict.run_id, "duplicate": True})
        wait = min(LONGEST_WAIT, config.wait_seconds if call.wait is None else call.wait)
        if verdict.run_id is None or wait <= 0 or self._waiting >= MOST_WAITING:
            return Reply(202, told)
        self._waiting += 1
        try:
            if not await self._triggers.admission.wait_for_end(verdict.run_id, wait):
                return Reply(202, told)
        finally:
            self._waiting -= 1
        return _result_reply(verdict.run_id, await self._results.read(verdict.run_id))


def _result_reply(run_id: str, result: RunResult) -> Reply:
    """Return the workflow's own answer, else the result as JSON."""
    if result.response is not None:
        headers = result.response.get("headers")
        named = (
            {str(name): str(value) for name, value in headers.items()} if isinstance(headers, dict) else {}
        )
        status = result.response.get("status")
        return Reply(status if isinstance(status, int) else 200, result.response.get("body"), named)
    told = {"job_id": run_id, "status": result.status, "result": result.result}
    if result.status == "SUCCEEDED":
        return Reply(200, told)
    return Reply(502, told | {"error": result.error or f"The run ended as {result.status}."})


class WaitDesk:
    """Takes what comes from outside for a step that waits; its token is all the proof there is."""

    def __init__(self, runs: Runs) -> None:
        self._runs = runs

    async def receive(self, token: str, call: Call) -> Reply:
        """Hand the body to the step; 404 for an unknown token and for a wait that is over."""
        try:
            data = _read_body(call)
            run_id = await self._runs.resume_wait(token, {} if data is None else data)
        except FloworkError as error:
            return Reply(error.meaning.http, {"error": error.message})
        return Reply(200, {"resumed": True, "job_id": run_id})


def _delivery(config: WebhookConfig, headers: Mapping[str, str]) -> str:
    names = (config.delivery_header.lower(),) if config.delivery_header else _DELIVERY_HEADERS
    return next((headers[name][:200] for name in names if headers.get(name)), "")


def _read_body(call: Call) -> Any:
    """Return a body as the workflow gets it; raises INVALID_REQUEST or UNSUPPORTED_MEDIA."""
    if not call.body:
        return None
    kind = call.content_type.lower()
    if kind == "application/json" or kind.endswith("+json"):
        strict_json.check_depth(call.body, MAX_DEPTH - 8)
        try:
            return msgspec.json.decode(call.body)
        except (msgspec.DecodeError, UnicodeError) as error:
            raise FloworkError(ErrorCode.INVALID_REQUEST, f"The body is no JSON: {error}") from error
    try:
        text = call.body.decode()
        if kind == "application/x-www-form-urlencoded":
            fields = parse_qs(text, keep_blank_values=True, max_num_fields=_MOST_FIELDS)
            return {name: values[0] if len(values) == 1 else values for name, values in fields.items()}
    except ValueError as error:
        raise FloworkError(ErrorCode.INVALID_REQUEST, f"The body cannot be read: {error}") from error
    if kind.startswith("text/") or kind in {"", "application/octet-stream", "application/xml"}:
        return text
    raise FloworkError(ErrorCode.UNSUPPORTED_MEDIA, "The body is JSON, a form or text.")
