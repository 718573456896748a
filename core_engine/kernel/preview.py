"""What an expression is worked out with while somebody writes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class GivenResult:
    """A node's result in place of the run's; ``outputs`` are JSON values by port, as pins have them."""

    node_id: str
    name: str
    outputs: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PreviewWish:
    """A text and what it may see: a run's data or none, results that go before them, values of variables.

    ``inputs`` are the node's connections as they are drawn now, each the node and port it comes from. ``hidden`` are
    the texts that must not be shown; ``variables`` hold no secret.
    """

    text: str
    run_id: str | None = None
    node_id: str | None = None
    inputs: Sequence[tuple[str, str | None]] = ()
    results: Sequence[GivenResult] = ()
    variables: Mapping[str, Any] = field(default_factory=dict)
    hidden: Sequence[str] = ()
