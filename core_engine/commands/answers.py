"""Errors as frames: every refused or failed message is answered, with the ids that it carried."""

from __future__ import annotations

import logging
from typing import Any

import msgspec
from pydantic import ValidationError

from core_engine.kernel.ports import Frame
from shared.errors import ErrorCode, FloworkError
from shared.ids import is_job_id, new_id

_log = logging.getLogger(__name__)

Ids = tuple[str | None, str | None]
"""The ``job_id`` and the ``request_id`` of a message, as far as it carried them."""

MAX_REQUEST_ID = 80
MAX_PROBLEMS = 50


class _Payload(msgspec.Struct):
    job_id: Any = None
    request_id: Any = None


class _Message(msgspec.Struct):
    payload: _Payload = msgspec.field(default_factory=_Payload)


_decoder = msgspec.json.Decoder(_Message)


def ids_of_raw(raw: bytes) -> Ids:
    """Read ``job_id`` and ``request_id`` out of a message that was refused, for the echo only."""
    try:
        payload = _decoder.decode(raw).payload
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None, None
    return ids_of(payload.job_id, payload.request_id)


def ids_of(job_id: Any, request_id: Any) -> Ids:
    """Return those of the two ids that may be echoed."""
    return (
        job_id if isinstance(job_id, str) and is_job_id(job_id) else None,
        request_id if isinstance(request_id, str) and len(request_id) <= MAX_REQUEST_ID else None,
    )


def refusal(error: FloworkError, ids: Ids) -> Frame:
    """Return the error frame; where waiting helps, ``details.retry_after`` says how many seconds."""
    frame = error.as_frame(job_id=ids[0], request_id=ids[1])
    if error.retry_after is not None and error.details is None:
        frame["details"] = {"retry_after": round(error.retry_after, 3)}
    return frame


def incident(ids: Ids) -> Frame:
    """Log the exception being handled under a fresh incident id, and return the frame that names it."""
    number = new_id()
    _log.exception("a command failed unexpectedly", extra={"incident": number})
    error = FloworkError(
        ErrorCode.INTERNAL, f"The engine failed; incident {number}.", details={"incident": number}
    )
    return refusal(error, ids)


def invalid_fields(name: str, error: ValidationError) -> FloworkError:
    """Translate a failed validation: the message names the first wrong field, the details name all."""
    problems = [
        {"field": ".".join(str(part) for part in item["loc"]), "problem": item["msg"]}
        for item in error.errors(include_url=False, include_input=False, include_context=False)[:MAX_PROBLEMS]
    ]
    first = problems[0]
    return FloworkError(
        ErrorCode.INVALID_REQUEST, f"{name}: {first['field']}: {first['problem']}.", details=problems
    )
