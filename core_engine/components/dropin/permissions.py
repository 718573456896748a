"""What a component asks to be allowed, in the manifest's ``permissions``: a small closed grammar, all of it listed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from core_engine.components.dropin.problem import UnusableError
from core_engine.components.isolation.hosts import HOST_PATTERN, Hosts

_FOLDER = r"[^\x00-\x1f\\]{1,200}"
_GRAMMAR: tuple[tuple[str, str], ...] = (
    ("files:read", "read files in the folders that its settings name"),
    ("files:write", "read and write files in the folders that its settings name"),
    (rf"files:read:(?P<folder>{_FOLDER})", "read files in the folder {0}"),
    (rf"files:write:(?P<folder>{_FOLDER})", "read and write files in the folder {0}"),
    (rf"network:(?P<host>{HOST_PATTERN})", "send data to {0} over the network, and get data from there"),
    (r"variable:(?P<variable>[A-Z0-9_]{1,80})", "use the variable {0}, where a step's settings name it"),
    (
        r"program:(?P<program>[A-Za-z0-9._+-]{1,80})",
        "start {0} (never given: isolated code starts no programs)",
    ),
)
Access = Literal["read", "write"]


@dataclass(frozen=True, slots=True)
class Permission:
    """One permission: as the manifest writes it, and what it means."""

    text: str
    meaning: str
    given: bool
    access: Access | None = None
    folder: str = ""
    host: str = ""


def read_permissions(texts: Sequence[str], variables: Sequence[str] = ()) -> tuple[Permission, ...]:
    """Return what a manifest asks for, required variables included; raises UnusableError for an unknown one."""
    asked = [*texts, *(f"variable:{name}" for name in variables)]
    return tuple(_read(text) for text in dict.fromkeys(asked))


def _read(text: str) -> Permission:
    for pattern, meaning in _GRAMMAR:
        match = re.fullmatch(pattern, text)
        if match:
            kind, _, rest = text.partition(":")
            folder = match.groupdict().get("folder") or ""
            access: Access | None = None
            if kind == "files":
                access = "write" if rest.startswith("write") else "read"
            host = match.groupdict().get("host") or ""
            return Permission(
                text, meaning.format(*match.groups()), kind != "program", access, folder, _checked(host)
            )
    raise UnusableError(f"it asks for the permission {text[:100]!r}, which this engine does not know")


def _checked(host: str) -> str:
    try:
        Hosts.read([host] if host else [])
    except ValueError as error:
        raise UnusableError(str(error)) from error
    return host
