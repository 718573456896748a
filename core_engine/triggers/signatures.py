"""Proofs that a call of a webhook comes from who knows its secret."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import NamedTuple

from core_engine.components.builtin.webhook_trigger.component import WebhookConfig

SECRET_HEADER = "x-webhook-secret"  # noqa: S105 - the name of a header
PLAIN_HEADERS = ("x-signature-256", "x-hub-signature-256")
TIMED_HEADERS = ("x-signature", "stripe-signature")
TIME_HEADER = "x-signature-timestamp"
_PREFIX = "sha256="
_MOST_PARTS = 20


class Evidence(NamedTuple):
    """What a call brings: ``headers`` by name in lower case, the raw body, and when it came (Unix ms)."""

    headers: Mapping[str, str]
    body: bytes
    now_ms: int


def is_proven(config: WebhookConfig, secret: bytes, call: Evidence) -> bool:
    """Tell whether a call proves the secret as the rule asks.

    Every comparison takes the same time, wherever texts differ.
    """
    if config.auth == "none":
        return True
    if not secret:
        return False
    if config.auth == "secret":
        given = call.headers.get(SECRET_HEADER, "").encode(errors="surrogateescape")
        return hmac.compare_digest(_digest(given), _digest(secret))
    plain = next((call.headers[name] for name in PLAIN_HEADERS if name in call.headers), None)
    if plain is not None:
        return _plain_fits(config, secret, plain, call)
    timed = next((call.headers[name] for name in TIMED_HEADERS if name in call.headers), "")
    return _timed_fits(config, secret, timed, call)


def waste_time(call: Evidence) -> None:
    """Do the work of a proof for a webhook that does not exist, so that the time of the answer tells nothing."""
    config = WebhookConfig(auth="secret" if SECRET_HEADER in call.headers else "hmac")
    is_proven(config, b"nobody knows this", call)


def _plain_fits(config: WebhookConfig, secret: bytes, given: str, call: Evidence) -> bool:
    """Judge ``sha256=<hex>`` over the body, or over ``<time>.<body>`` where the time is sent beside it."""
    moment = call.headers.get(TIME_HEADER)
    signed = call.body if moment is None else moment.encode(errors="surrogateescape") + b"." + call.body
    fits = _same(given.removeprefix(_PREFIX), _signature(secret, signed)) and given.startswith(_PREFIX)
    in_time = not config.require_timestamp if moment is None else _in_time(config, moment, call.now_ms)
    return fits and in_time


def _timed_fits(config: WebhookConfig, secret: bytes, given: str, call: Evidence) -> bool:
    """Judge ``t=<Unix seconds>,v1=<hex>`` over ``<t>.<body>``; one of several signatures is enough."""
    parts = [part.strip().partition("=") for part in given.split(",")[:_MOST_PARTS]]
    moment = next((value for name, _, value in parts if name == "t"), "")
    right = _signature(secret, moment.encode(errors="surrogateescape") + b"." + call.body)
    fits = [_same(value, right) for name, _, value in parts if name == "v1"]
    return any(fits) and _in_time(config, moment, call.now_ms)


def _signature(secret: bytes, signed: bytes) -> str:
    return hmac.new(secret, signed, hashlib.sha256).hexdigest()


def _same(given: str, right: str) -> bool:
    return hmac.compare_digest(given.encode(errors="surrogateescape"), right.encode())


def _in_time(config: WebhookConfig, moment: str, now_ms: int) -> bool:
    if not (moment.isascii() and moment.isdigit() and len(moment) <= 12):
        return False
    return abs(now_ms - int(moment) * 1000) <= config.tolerance_seconds * 1000


def _digest(value: bytes) -> bytes:
    return hashlib.sha256(value).digest()
