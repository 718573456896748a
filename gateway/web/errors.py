"""The one place where errors become HTTP answers: ``{"error", "code", "details"}``."""

from __future__ import annotations

import json
import logging
import math

from flask import Response
from werkzeug.exceptions import HTTPException

from gateway import incidents
from gateway.web.routing import StatusError
from shared.errors import ErrorCode, FloworkError

_log = logging.getLogger(__name__)

_KNOWN = {
    400: (ErrorCode.INVALID_REQUEST, "Bad Request"),
    404: (ErrorCode.NOT_FOUND, "Not Found"),
    405: (ErrorCode.METHOD_NOT_ALLOWED, "Method Not Allowed"),
    413: (ErrorCode.TOO_LARGE, "The request body is too large."),
    415: (ErrorCode.UNSUPPORTED_MEDIA, "Unsupported Media Type"),
}


def answer(error: Exception) -> Response:
    """Return the answer for any exception; what is unexpected is logged once and told as an incident id only."""
    if isinstance(error, HTTPException) and error.code in _KNOWN:
        code, text = _KNOWN[error.code]
        response = _response(FloworkError(code, text), error.code)
        allowed = getattr(error, "valid_methods", None)
        if allowed:
            response.headers["Allow"] = ", ".join(sorted(allowed))
        return response
    if not isinstance(error, FloworkError):
        error = incidents.report(_log, "a request", error)
    return _response(error, error.status if isinstance(error, StatusError) else error.meaning.http)


def _response(error: FloworkError, status: int) -> Response:
    body = json.dumps(error.as_http_body(), ensure_ascii=False)
    response = Response(body, status=status, content_type="application/json")
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(math.ceil(error.retry_after))
    return response
