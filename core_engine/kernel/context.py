"""What a component may ask of the engine while it runs a step."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, Protocol

from core_engine.kernel.family import CalledWorkflow
from core_engine.kernel.payload import Input
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


class Context(Protocol):
    """One attempt of one step.

    ``idempotency_key`` is the same for every attempt of the step and differs for every other step: hand it to
    the outside effect. `log` and `popup` may be called from the step's own thread.
    """

    @property
    def run_id(self) -> str: ...  # noqa: D102
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
    def files(self) -> Files: ...  # noqa: D102

    def workflow(self, preset: str) -> CalledWorkflow:
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
