"""Fires rules because of other runs: events that a step publishes, and the ends of runs."""

from __future__ import annotations

import logging
from typing import Any, Protocol

from core_engine.components.builtin.event_bus_trigger.component import EventBusConfig
from core_engine.components.builtin.run_finished_trigger.component import RunFinishedConfig
from core_engine.components.outlet import PublishedEvent
from core_engine.kernel.ports import EndedRun, Runs
from core_engine.triggers.admission import Admission
from core_engine.triggers.counts import Counts
from core_engine.triggers.rulebook import RuleBook
from core_engine.triggers.rules import Rule, id_from
from shared.clock import iso
from shared.contract.run import RunMode
from shared.errors import ErrorCode, FloworkError

MOST_DEPTH = 8
_MOST_PARENTS = 32
_log = logging.getLogger(__name__)


class Firing(Protocol):
    """Has a rule fire; see `TriggerService.fire`."""

    async def __call__(self, rule: Rule, event: dict[str, Any], *, run_id: str, depth: int) -> Any:
        """Take the event in."""
        ...


class Publishing:
    """Finds the rules that listen. Run ids come from what caused them, so hearing of it twice starts nothing twice.

    Runs that fire each other in a circle end: after eight runs, one fired by the other, the next is refused.
    """

    def __init__(
        self, rules: RuleBook, runs: Runs, admission: Admission, counts: Counts, fire: Firing
    ) -> None:
        self._rules = rules
        self._runs = runs
        self._admission = admission
        self._counts = counts
        self._fire = fire

    async def publish(self, event: PublishedEvent) -> int:
        """Fire every rule that listens for the event and end the waits for it; return how many there are."""
        heard = [rule for rule in self._rules.of_kind("event_bus") if self._hears(rule, event.event_name)]
        depth = self._depth(event.run_id) + 1
        for rule in heard:
            told = {
                "event_name": event.event_name,
                "data": event.data,
                "source": {"job_id": event.run_id, "node_id": event.node_id},
            }
            await self._fire_once(rule, told, id_from("event", event.key, rule.id), depth)
        return len(heard) + await self._runs.publish_event(event.event_name, event.correlation, event.data)

    def wants(self, run: EndedRun) -> bool:
        """Whether any rule listens for such an end."""
        return any(self._wants(rule, run) for rule in self._rules.of_kind("run_finished"))

    async def run_ended(self, run: EndedRun) -> None:
        """Fire every rule that listens for the end of the run."""
        depth = self._depth(run.run_id) + 1
        for rule in self._rules.of_kind("run_finished"):
            if self._wants(rule, run):
                run_id = id_from("run finished", run.run_id, rule.id)
                await self._fire_once(rule, {"run": _told(run)}, run_id, depth)

    async def _fire_once(self, rule: Rule, event: dict[str, Any], run_id: str, depth: int) -> None:
        if depth > MOST_DEPTH:
            self._counts.add(rule.id, "refused")
            facts = {"rule": rule.id, "preset": rule.preset, "depth": depth}
            _log.warning("a circle of triggers was ended", extra=facts)
            return
        try:
            await self._fire(rule, event, run_id=run_id, depth=depth)
        except FloworkError as error:
            if error.meaning.retryable or error.code is ErrorCode.INTERNAL:
                raise
            _log.warning("a listening rule did not start", extra={"rule": rule.id, "reason": error.message})

    def _hears(self, rule: Rule, event_name: str) -> bool:
        config = self._rules.config(rule.id)
        return isinstance(config, EventBusConfig) and config.hears(event_name)

    def _wants(self, rule: Rule, run: EndedRun) -> bool:
        """Whether a rule listens; children of runs and simulated runs are no ends of their own."""
        config = self._rules.config(rule.id)
        if (
            run.parent is not None
            or run.mode is RunMode.SIMULATE
            or not isinstance(config, RunFinishedConfig)
        ):
            return False
        return run.finished_at >= rule.created_at and config.wants(run.preset_name, run.status.value)

    def _depth(self, run_id: str) -> int:
        """Return how many runs led to a run; a child counts as its parent."""
        for _ in range(_MOST_PARENTS):
            if depth := self._admission.depth_of(run_id):
                return depth
            try:
                parent = self._runs.summary(run_id).parent_job_id
            except FloworkError:
                return 0
            if parent is None:
                return 0
            run_id = parent
        return MOST_DEPTH


def _told(run: EndedRun) -> dict[str, Any]:
    return {
        "job_id": run.run_id,
        "status": run.status.value,
        "preset_name": run.preset_name,
        "started_by": run.started_by,
        "origin": run.origin,
        "error": run.error,
        "started_at": iso(run.started_at),
        "finished_at": iso(run.finished_at),
    }
