"""Hosts that are opened to the code of others: how they are written, and which connections they allow."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

HOST_PATTERN = r"(?:\*\.)?[a-z0-9](?:[a-z0-9.-]{0,250}[a-z0-9])?(?::[0-9]{1,5})?"
"""A name or an IPv4 address in small letters; ``*.`` before it means all names below it, ``:PORT`` another port."""

USUAL_PORTS = frozenset({80, 443})
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,251}[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class Host:
    """One entry: a ``name``, whether the names below it are meant in its place, and a port (None: the usual ones)."""

    name: str
    below: bool
    port: int | None

    @classmethod
    def read(cls, text: str) -> Host:
        """Read an entry; raises ValueError."""
        if re.fullmatch(HOST_PATTERN, text) is None:
            raise ValueError(
                f"{text[:100]!r} is not a host: write name, *.name or name:port, in small letters"
            )
        name, _, port = text.partition(":")
        if port and not 1 <= int(port) <= 65_535:
            raise ValueError(f"{text!r} has no port between 1 and 65535")
        return cls(name.removeprefix("*."), name.startswith("*."), int(port) if port else None)

    def covers(self, name: str, port: int) -> bool:
        """Tell whether a connection to a name (as `plain_name` gives it) and port is meant."""
        if port not in ({self.port} if self.port else USUAL_PORTS):
            return False
        return name.endswith(f".{self.name}") if self.below else name == self.name


@dataclass(frozen=True, slots=True)
class Hosts:
    """The entries of one step or component; an empty one opens nothing."""

    entries: tuple[Host, ...] = ()

    @classmethod
    def read(cls, texts: Iterable[str]) -> Hosts:
        """Read entries; raises ValueError for the first that is none."""
        return cls(tuple(Host.read(text) for text in dict.fromkeys(texts)))

    def __bool__(self) -> bool:
        return bool(self.entries)

    def cover(self, name: str, port: int) -> bool:
        """Tell whether one of the entries means this connection."""
        return any(entry.covers(name, port) for entry in self.entries)


def plain_name(host: str) -> str:
    """Return a host's name as it is compared: small letters, no dot at the end. Raises ValueError for what is none."""
    name = host.lower().removesuffix(".")
    if _NAME.fullmatch(name) is None or ".." in name:
        raise ValueError(f"{host[:100]!r} is not the name of a host")
    return name
