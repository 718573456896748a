"""What a component may ask of the engine while it runs a step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, Protocol

from core_engine.kernel.family import CalledWorkflow
from core_engine.kernel.payload import DeadInput, Input
from shared.contract.run import RunMode

LogLevel = Literal["DEBUG", "INFO", "SUCCESS", "WARN", "ERROR"]


class Files(Protocol):
    """Access to files inside the engine's configured roots only; paths come from workflows and are not trusted."""

    def readable(self, path: str) -> Path:
        """Return the real path of an existing file inside a root; raises FloworkError FORBIDDEN or NOT_FOUND."""
        ...

    def writable(self, path: str) -> Path:
        """Return the real path for a file to be written inside a root, its parent folders made.

        A relative path is taken from the first root. Raises FloworkError FORBIDDEN.
        """
        ...

    def folder(self, path: str) -> Path:
        """Return the real path of an existing folder inside a root; raises FloworkError FORBIDDEN or NOT_FOUND."""
        ...

    def allows(self, path: Path) -> bool:
        """Tell whether a path, links resolved, is one that workflows may use."""
        ...

    def whole_folder(self, path: str) -> Path:
        """Return the real path of a folder inside a root whose whole content may be used, hidden files included.

        Raises FloworkError FORBIDDEN or NOT_FOUND.
        """
        ...


@dataclass(frozen=True, slots=True)
class Spent:
    """What a run has used so far: tokens in and out, and money by currency."""

    tokens_in: int = 0
    tokens_out: int = 0
    cost: Mapping[str, Decimal] = field(default_factory=dict)

    @property
    def tokens(self) -> int:
        """All tokens."""
        return self.tokens_in + self.tokens_out


class Context(Protocol):
    """One attempt of one step.

    ``idempotency_key`` is the same for every attempt of the step and differs for every other step: hand it to
    the outside effect. ``dead_inputs`` are the connections that brought nothing, ``iteration`` counts the runs of a
    node that loops and ``round`` those of the whole workflow, both from 0. `log` and `popup` may be called from the
    step's own thread.
    """

    @property
    def run_id(self) -> str: ...  # noqa: D102
    @property
    def workflow(self) -> str:
        """The saved workflow the run was started from, or the fingerprint of one that is not saved."""
        ...

    @property
    def node_id(self) -> str: ...  # noqa: D102
    @property
    def node_name(self) -> str: ...  # noqa: D102
    @property
    def attempt(self) -> int: ...  # noqa: D102
    @property
    def mode(self) -> RunMode: ...  # noqa: D102
    @property
    def idempotency_key(self) -> str: ...  # noqa: D102
    @property
    def inputs(self) -> tuple[Input, ...]: ...  # noqa: D102
    @property
    def dead_inputs(self) -> tuple[DeadInput, ...]: ...  # noqa: D102
    @property
    def iteration(self) -> int: ...  # noqa: D102
    @property
    def round(self) -> int: ...  # noqa: D102
    @property
    def files(self) -> Files: ...  # noqa: D102

    def saved_workflow(self, preset: str) -> CalledWorkflow:
        """Return a saved workflow: the version this step has used before, else the newest; blocks.

        Raises NOT_FOUND or JOURNAL_CORRUPT.
        """
        ...

    def log(self, message: str, level: LogLevel = "INFO") -> None:
        """Write a line to the run's log."""
        ...

    def popup(self, title: str, content: Any, config: dict[str, Any] | None = None) -> None:
        """Show something to whoever watches the run."""
        ...

    def spend(  # noqa: PLR0913 - one thing each
        self,
        kind: str,
        *,
        tokens_in: int = 0,
        tokens_out: int = 0,
        cost: Decimal | float | str = 0,
        currency: str = "USD",
        model: str = "",
        estimated: bool = False,
    ) -> None:
        """Tell what the step used; it counts for the node and the run, and those who follow the run are told.

        ``kind`` is a short word (``chat``, ``embeddings``, ``transaction``). ``estimated``: nobody counted exactly.
        From the event loop it counts at once, from a thread a moment later. Raises ValueError for negative or
        endless numbers, FloworkError TOO_LARGE after 10,000 calls in one attempt.
        """
        ...

    def spent(self) -> Spent:
        """Return what the whole run has used so far."""
        ...
