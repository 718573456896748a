"""The hosts that a component's settings name: in a field of type ``url``, or ``host`` (name or name:port)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from core_engine.components.isolation.hosts import Host
from shared.errors import ErrorCode, FloworkError

_PORTS = {"http": 80, "ws": 80, "https": 443, "wss": 443}


def named_hosts(fields: Iterable[str], values: Mapping[str, Any]) -> list[str]:
    """Return an entry for each field that is filled in, as `Hosts.read` takes them; raises INVALID_REQUEST."""
    found = []
    for field in fields:
        text = values.get(field)
        if isinstance(text, str) and text.strip():
            try:
                found.append(_entry(text.strip()))
            except ValueError as error:
                message = f"The setting {field} names no host: {error}."
                raise FloworkError(ErrorCode.INVALID_REQUEST, message) from error
    return found


def _entry(text: str) -> str:
    if "://" in text:
        parts = urlsplit(text)
        port = parts.port or _PORTS.get(parts.scheme)
        if port is None:
            raise ValueError(f"the port of {parts.scheme}:// is not known, name it")
        text = f"{parts.hostname or ''}:{port}"
    host = Host.read(text.lower())
    if host.below:
        raise ValueError("one host is meant, not all below it")
    return text.lower()
