"""What a workflow says of its triggers: ``workflow_data.settings.trigger`` (ours, optional)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from shared.contract.base import Incoming


class TriggerPolicy(Incoming):
    """What happens when a rule fires while an earlier run of it has not ended, for each value of ``key`` apart.

    parallel: up to ``limit`` runs at once, further events wait. queue: one run after the other, in order.
    single: events are dropped while one runs. restart: the running one is stopped for the new one.
    debounce: after ``seconds`` without another event the last one starts.
    ``key`` is a JMESPath over the event; ``queue_limit`` bounds the events of a rule that wait.
    """

    kind: Literal["parallel", "single", "restart", "queue", "debounce"] = "parallel"
    limit: int = Field(default=10, ge=1, le=1000)
    seconds: float = Field(default=0.0, ge=0, le=86_400)
    key: str = Field(default="", max_length=500)
    queue_limit: int = Field(default=1000, ge=1, le=1000)

    @model_validator(mode="after")
    def check_seconds(self) -> TriggerPolicy:
        """Refuse a debounce that waits for nothing."""
        if self.kind == "debounce" and self.seconds <= 0:
            raise ValueError("debounce needs seconds greater than 0")
        return self


class TriggerSettings(Incoming):
    """The member ``trigger`` of a workflow's settings: the policy of its rules that have none of their own."""

    policy: TriggerPolicy | None = None
