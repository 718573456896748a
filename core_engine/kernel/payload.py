"""The data that travels along connections, and what a component gives back (protocol §5.3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import msgspec

MAX_DEPTH = 64
"""How deeply values from outside may be nested; to be checked before a decoder that recurses sees them."""


class Payload(msgspec.Struct, frozen=True):
    """``data`` is any JSON value; ``history`` is carried along, the engine never appends to it."""

    data: Any = msgspec.field(default_factory=dict)
    history: list[Any] = msgspec.field(default_factory=list)

    def to_wire(self) -> dict[str, Any]:
        """Return the documented object ``{"data", "history"}``."""
        return {"data": self.data, "history": self.history}

    @classmethod
    def from_value(cls, value: Any) -> Payload:
        """Read any JSON value: an object with ``data`` is a payload, everything else becomes the data."""
        if isinstance(value, (dict, Mapping)) and "data" in value:
            history = value.get("history")
            return cls(value["data"], history if isinstance(history, list) else [])
        return cls(value if value is not None else {})


@dataclass(frozen=True, slots=True)
class Input:
    """One live incoming connection of a node and what came along it."""

    connection_id: str
    source_id: str
    source_port: str
    target_port: str
    payload: Payload


@dataclass(frozen=True, slots=True)
class DeadInput:
    """One incoming connection of a node that brought nothing.

    ``reason``: skipped (its source did not run, or went another way), failed (its source failed), or late (it had
    brought nothing yet when the node ran without it).
    """

    connection_id: str
    source_id: str
    source_name: str
    target_port: str
    reason: Literal["skipped", "failed", "late"]

    def to_wire(self) -> dict[str, str]:
        """Return the members as a JSON object."""
        return asdict(self)


class Result(msgspec.Struct, frozen=True):
    """What a component gives back: a payload for each output port that becomes active."""

    outputs: Mapping[str, Payload]

    @classmethod
    def on(cls, port: str, data: Any, history: list[Any] | None = None) -> Result:
        """Activate one port."""
        return cls({port: Payload(data, history or [])})
