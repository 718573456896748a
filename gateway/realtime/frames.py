"""The frames of Socket.IO events: the ``{"v": 2, "payload": …}`` envelope, and what can be told of a bad one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from shared.errors import ErrorCode, FloworkError
from shared.ids import is_job_id

VERSION = 2

Model = TypeVar("Model", bound=BaseModel)


def open_envelope(args: Sequence[Any]) -> dict[str, Any]:
    """Return the payload of a ``v2`` event; raises INVALID_REQUEST for anything else."""
    frame = args[0] if args else None
    if isinstance(frame, dict) and frame.get("v") == VERSION and isinstance(frame.get("payload"), dict):
        payload: dict[str, Any] = frame["payload"]
        return payload
    raise FloworkError(
        ErrorCode.INVALID_REQUEST, 'An event carries one object of the form {"v": 2, "payload": {…}}.'
    )


def open_either(args: Sequence[Any]) -> dict[str, Any]:
    """Return the payload of an engine's event, which comes bare or in a ``v2`` envelope."""
    frame = args[0] if args else None
    if isinstance(frame, dict) and frame.get("v") != VERSION:
        return frame
    return open_envelope(args)


def read(model: type[Model], payload: dict[str, Any]) -> Model:
    """Validate a payload; raises INVALID_REQUEST that names the fields."""
    try:
        return model.model_validate(payload)
    except ValidationError as error:
        raise invalid(error) from error


def invalid(error: ValidationError) -> FloworkError:
    """Return the refusal that says which fields are wrong, without repeating what they held."""
    details = [
        {"field": ".".join(str(part) for part in item["loc"]), "problem": item["msg"]}
        for item in error.errors(include_url=False, include_input=False, include_context=False)
    ]
    fields = ", ".join(sorted({item["field"] for item in details if item["field"]})) or "body"
    return FloworkError(
        ErrorCode.INVALID_REQUEST, f"These fields are missing or wrong: {fields}.", details=details
    )


def error_frame(error: FloworkError, args: Sequence[Any]) -> dict[str, Any]:
    """Return the ``error`` event that answers an event, with the ids by which its sender knows it."""
    frame = args[0] if args else None
    payload = frame.get("payload", frame) if isinstance(frame, dict) else None
    known = payload if isinstance(payload, dict) else {}
    job_id, request_id = known.get("job_id"), known.get("request_id")
    return error.as_frame(
        job_id=job_id if isinstance(job_id, str) and is_job_id(job_id) else None,
        request_id=request_id if isinstance(request_id, str) and len(request_id) <= 80 else None,
    )
