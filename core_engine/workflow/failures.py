"""What a failed step says: a code, a sentence without secrets, and the payload of its error port."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from core_engine.kernel.payload import Payload
from core_engine.workflow.graph import Node
from shared.errors import ErrorCode, FloworkError
from shared.redact import MASK, redact_text

_LONGEST = 4000


def mask(text: str, secrets: Sequence[str]) -> str:
    """Return the text without the secret values that the step used."""
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) > 2:
            text = text.replace(secret, MASK)
    return text


def mask_start(text: str, secrets: Sequence[str], most: int) -> str:
    """Return at most so many characters of the masked text; a secret that is cut in two is not shown by its half."""
    if len(text) <= 2 * most:
        return mask(text, secrets)[:most]
    text = mask(text[: 2 * most], secrets)
    half = max((_overlap(text, secret) for secret in secrets if len(secret) > 2), default=0)
    return text[: len(text) - half][:most]


def _overlap(text: str, secret: str) -> int:
    """Return how many characters at the end of the text are the beginning of the secret."""
    longest = min(len(text), len(secret) - 1)
    return next((size for size in range(longest, 0, -1) if text.endswith(secret[:size])), 0)


def mask_value(value: Any, secrets: Sequence[str]) -> Any:
    """Return a copy of a JSON value in which every text is masked, names of members included."""
    if isinstance(value, str):
        return mask(value, secrets)
    if isinstance(value, Mapping):
        return {mask(str(key), secrets): mask_value(item, secrets) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [mask_value(item, secrets) for item in value]
    return value


def describe(error: BaseException, secrets: Sequence[str]) -> tuple[str, str]:
    """Return the error's code and its text, as the run's record and its events carry them."""
    if isinstance(error, FloworkError):
        code, text = error.code, error.message
    else:
        code, text = ErrorCode.COMPONENT_FAILED, str(error).strip()
        if not text or isinstance(error, LookupError):  # the text of a KeyError is the bare key
            text = f"{type(error).__name__}: {text}".rstrip(": ")
    text = redact_text(mask(text, secrets))
    text = text.encode("utf-8", "replace").decode()
    return code.value, text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def error_payload(node: Node, code: str, text: str, attempt: int, given: Payload | None) -> Payload:
    """Return what the error port carries: the error, and the data the step was given."""
    data = {
        "error": text,
        "code": code,
        "node_id": node.id,
        "node_name": node.name,
        "attempt": attempt,
        "input": given.data if given else None,
    }
    return Payload(data, given.history if given else [])
