"""What a person's code gives back, as a payload on a port (protocol §5.3)."""

from __future__ import annotations

from typing import Any

from core_engine.kernel.payload import Payload, Result
from shared.errors import ErrorCode, FloworkError


def routed(value: Any, payload: Payload) -> Result:
    """Return the result of a step whose code returned ``value`` for ``payload``.

    Anything becomes the data; an object may name ``payload`` or ``data``, ``history`` and ``output_name``
    (success or error). Raises FloworkError COMPONENT_FAILED for another port.
    """
    if not isinstance(value, dict):
        return Result.on("success", value, payload.history)
    port = value.get("output_name", "success")
    if port not in {"success", "error"}:
        raise FloworkError(
            ErrorCode.COMPONENT_FAILED, f"The code chose the port {port!r}; there are success and error."
        )
    if "payload" in value:
        inner = value["payload"]
    elif "data" in value:
        inner = value
    else:
        inner = {"data": {key: item for key, item in value.items() if key != "output_name"}}
    given = Payload.from_value(inner)
    kept = isinstance(inner, dict) and "history" in inner
    return Result({port: given if kept else Payload(given.data, payload.history)})
