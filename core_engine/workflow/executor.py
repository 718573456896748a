"""Carrying out launched steps in this process, and what is said of a step that was lost elsewhere."""

from __future__ import annotations

from core_engine.kernel.component import Config
from core_engine.kernel.payload import Payload
from core_engine.workflow.graph import Node
from core_engine.workflow.steps import Attempt, Host, StepContext, launch


class StepLost(Exception):  # noqa: N818 - what happened to a step, given in place of its result
    """Nobody can tell how an attempt ended: whoever carried it out is gone; the step's policy decides what follows.

    ``crash`` unless it was a clean stop: a step that crashed several times is not tried again.
    """

    def __init__(self, what: str, *, crash: bool) -> None:
        super().__init__(what)
        self.what = what
        self.crash = crash


class InProcess:
    """Carries every step out in the engine's own process: on the event loop or on its threads."""

    def sends(self, host: Host, node: Node) -> bool:  # noqa: ARG002 - the port's shape
        """Send nothing away."""
        return False

    def launch(
        self, host: Host, attempt: Attempt, context: StepContext, config: Config, payload: Payload
    ) -> None:
        """Start a step here."""
        launch(host, attempt, context, config, payload)

    def regains(self, host: Host, attempt: Attempt, context: StepContext) -> bool:  # noqa: ARG002 - the port's shape
        """Regain nothing: what ran in a process ended with it."""
        return False

    def outlives(self, attempt: Attempt) -> bool:  # noqa: ARG002 - the port's shape
        """Let nothing go on."""
        return False
