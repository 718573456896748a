"""What the openai library raises, in the engine's words.

Imported only when a model is asked, because the library is large.
"""

from __future__ import annotations

import openai

from shared.errors import ErrorCode, FloworkError

_LONGEST = 500
_LONGEST_PAUSE = 60.0
_CODES = {
    400: ErrorCode.INVALID_REQUEST,
    401: ErrorCode.UNAUTHENTICATED,
    402: ErrorCode.FORBIDDEN,
    403: ErrorCode.FORBIDDEN,
    404: ErrorCode.INVALID_REQUEST,
    413: ErrorCode.TOO_LARGE,
    422: ErrorCode.INVALID_REQUEST,
    429: ErrorCode.RATE_LIMITED,
}
_BROKEN_ANSWERS = (ValueError, TypeError, LookupError, AttributeError, RecursionError)
EVERYTHING = (openai.OpenAIError, *_BROKEN_ANSWERS)
"""What a call can raise: answers of foreign servers also break the library in ways it does not foresee."""


def translate(error: Exception) -> FloworkError:
    """Return the engine's error for what a call raised."""
    if isinstance(error, FloworkError):
        return error
    if isinstance(error, openai.APIStatusError):
        return _of_status(error)
    if isinstance(error, openai.APIConnectionError):
        cause = error.__cause__ or error
        return _failed(
            f"The model's endpoint cannot be reached: {str(cause)[:_LONGEST] or type(cause).__name__}."
        )
    if isinstance(error, (*_BROKEN_ANSWERS, openai.APIResponseValidationError)):
        return _failed(
            f"The model's endpoint answered something that is not the OpenAI API ({_told(error)})."
        )
    return _failed(f"The model's endpoint reported: {_told(error)}.")


def may_pass(error: FloworkError) -> bool:
    """Tell whether the same call can go well a little later."""
    return error.code in {ErrorCode.RATE_LIMITED, ErrorCode.COMPONENT_FAILED}


def _of_status(error: openai.APIStatusError) -> FloworkError:
    code = _CODES.get(error.status_code, ErrorCode.COMPONENT_FAILED)
    if error.code == "insufficient_quota":
        code = ErrorCode.FORBIDDEN  # the same status as a busy endpoint, but waiting does not help
    body = error.body if isinstance(error.body, dict) else {}
    told = body.get("message")
    told = told if isinstance(told, str) else str(error.message)
    message = f"The model's endpoint answered {error.status_code}: {told[:_LONGEST].rstrip('.')}."
    return FloworkError(code, message, retry_after=_pause(error))


def _pause(error: openai.APIStatusError) -> float | None:
    try:
        seconds = float(error.response.headers.get("retry-after", ""))
    except ValueError:
        return None
    return min(seconds, _LONGEST_PAUSE) if seconds >= 0 else None


def _told(error: Exception) -> str:
    return str(error)[:_LONGEST].rstrip(".") or type(error).__name__


def _failed(message: str) -> FloworkError:
    return FloworkError(ErrorCode.COMPONENT_FAILED, message)
