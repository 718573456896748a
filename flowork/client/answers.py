"""Reads the gateway's HTTP answers: errors become FloworkError with the server's own code."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from flowork.client.events import known_code
from shared.errors import ErrorCode, FloworkError

_BY_STATUS = {
    400: ErrorCode.INVALID_REQUEST,
    401: ErrorCode.UNAUTHENTICATED,
    403: ErrorCode.FORBIDDEN,
    404: ErrorCode.NOT_FOUND,
    405: ErrorCode.METHOD_NOT_ALLOWED,
    409: ErrorCode.CONFLICT,
    413: ErrorCode.TOO_LARGE,
    415: ErrorCode.UNSUPPORTED_MEDIA,
    422: ErrorCode.INVALID_REQUEST,
    429: ErrorCode.RATE_LIMITED,
    501: ErrorCode.NOT_IMPLEMENTED,
    502: ErrorCode.ENGINE_UNAVAILABLE,
    503: ErrorCode.ENGINE_UNAVAILABLE,
    504: ErrorCode.DEADLINE_EXCEEDED,
}


def read_json(response: httpx.Response, now_ms: int) -> Any:
    """Return the body of a good answer; raises the server's error for any other."""
    if response.is_success:
        try:
            return response.json()
        except ValueError as error:
            raise FloworkError(ErrorCode.INTERNAL, _not_ours(response)) from error
    raise _error(response, now_ms)


def _error(response: httpx.Response, now_ms: int) -> FloworkError:
    try:
        body = response.json()
    except ValueError:
        body = None
    if not isinstance(body, dict) or not isinstance(body.get("error"), str):
        return FloworkError(_BY_STATUS.get(response.status_code, ErrorCode.INTERNAL), _not_ours(response))
    code = known_code(body.get("code")) or _BY_STATUS.get(response.status_code, ErrorCode.INTERNAL)
    message = body["error"]
    if code is ErrorCode.STALE:
        message = f"{message} {clock_advice(response.headers.get('Date', ''), now_ms)}"
    return FloworkError(code, message, details=body.get("details"), retry_after=_seconds(response))


def clock_advice(server_date: str, now_ms: int) -> str:
    """Say how far this machine's clock is from the server's ``Date`` header, and what to do."""
    try:
        served = parsedate_to_datetime(server_date)
    except ValueError:
        return "Set this machine's clock right and try again."
    behind = served.timestamp() - datetime.fromtimestamp(now_ms / 1000, tz=UTC).timestamp()
    direction = "behind" if behind > 0 else "ahead of"
    return (
        f"This machine's clock is about {abs(behind):.0f} seconds {direction} the server's; "
        "set it right (network time) and try again."
    )


def _not_ours(response: httpx.Response) -> str:
    return (
        f"{response.url.copy_with(query=None)} answered {response.status_code} in a form that is not "
        "the gateway's; is this the address of a Flowork gateway?"
    )


def _seconds(response: httpx.Response) -> float | None:
    try:
        return float(response.headers["Retry-After"])
    except (KeyError, ValueError):
        return None
