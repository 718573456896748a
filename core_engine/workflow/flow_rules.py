"""What a workflow says about its flow as a whole, read from workflow_data: rounds, deadline, alarms, follow-ups."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from shared.contract.flow_rules import FlowSettings, GlobalLoop, JoinRule

Report = Callable[[str, str], None]
PLAIN_JOIN = JoinRule()


@dataclass(frozen=True, slots=True)
class Flow:
    """The settings of the whole, and the global loop where there is one."""

    settings: FlowSettings
    loop: GlobalLoop | None = None

    @property
    def rounds(self) -> int:
        """How often the workflow runs in one run."""
        return self.loop.iterations if self.loop else 1

    @property
    def watched(self) -> bool:
        """Whether times must be watched from the start of the run on."""
        known = self.settings
        return any((known.deadline_seconds, known.alarm_after_seconds, known.stuck_after_seconds))

    def delay_seconds(self, rng: random.Random) -> float:
        """Return how long to wait before the next round."""
        loop = self.loop
        if loop is None or not loop.delayed:
            return 0.0
        if loop.delay_type == "static":
            return loop.static
        return rng.uniform(min(loop.shortest, loop.longest), max(loop.shortest, loop.longest))


NO_FLOW = Flow(FlowSettings())


def read_flow(data: Mapping[str, Any], report: Report) -> Flow:
    """Read ``settings.flow`` and ``global_loop_config``; ``report`` takes each problem and the field it is in."""
    found = data.get("settings")
    flow = found.get("flow") if isinstance(found, Mapping) else None
    settings = NO_FLOW.settings
    if flow is not None:
        try:
            settings = FlowSettings.model_validate(flow)
        except ValidationError as error:
            _tell(error, "settings.flow", report)
    return Flow(settings, _read_loop(data.get("global_loop_config"), report))


def read_join(join: str | JoinRule) -> JoinRule:
    """Return a node's join as a rule."""
    if isinstance(join, JoinRule):
        return join
    return JoinRule(mode="any") if join == "any" else PLAIN_JOIN


def _read_loop(raw: object, report: Report) -> GlobalLoop | None:
    """Read the global loop; one that is not enabled is none, whatever else it says, and so with its delay."""
    if not isinstance(raw, Mapping) or raw.get("isEnabled") is not True:
        return None
    told = raw if raw.get("isDelayEnabled") is True else {"iterations": raw.get("iterations", 1)}
    try:
        return GlobalLoop.model_validate(told)
    except ValidationError as error:
        _tell(error, "global_loop_config", report)
        return None


def _tell(error: ValidationError, place: str, report: Report) -> None:
    for item in error.errors(include_url=False, include_input=False):
        report(item["msg"], ".".join([place, *map(str, item["loc"])]))
