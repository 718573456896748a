"""Starts the run of an event: as the rule's owner, who must still be allowed to, with the preset's newest version."""

from __future__ import annotations

from collections.abc import Callable

from core_engine.kernel.payload import Payload
from core_engine.kernel.ports import Runs, StartRun
from core_engine.presets import PresetService
from core_engine.triggers.rules import Fire, Rule
from shared.contract.base import Role
from shared.errors import ErrorCode, FloworkError

PASSING = frozenset({ErrorCode.RATE_LIMITED, ErrorCode.STORAGE_FULL, ErrorCode.ENGINE_UNAVAILABLE})
"""Errors that go away: the event waits and is tried again."""


class Starter:
    """Turns events into runs. The same event always means the same run."""

    def __init__(self, runs: Runs, presets: PresetService, role_of: Callable[[str], Role | None]) -> None:
        self._runs = runs
        self._presets = presets
        self._role_of = role_of

    def blocked(self, rule: Rule) -> str | None:
        """Return why a rule starts nothing although it is enabled."""
        if rule.problem:
            return rule.problem
        role = self._role_of(rule.owner)
        if role is None or role < Role.RUNNER:
            has = f"only the role {role.name.lower()}" if role else "no role"
            return f"Its owner {rule.owner} has {has} on this engine; runner is needed."
        return None

    def status(self, run_id: str) -> bool | None:
        """Tell whether a run has ended; None where there is no such run."""
        try:
            return self._runs.summary(run_id).finished_at is not None
        except FloworkError as error:
            if error.code is ErrorCode.NOT_FOUND:
                return None
            raise

    async def start(self, rule: Rule, fire: Fire) -> None:
        """Start the run; one that exists already counts as started. Raises FORBIDDEN where the rule is blocked."""
        if self.status(fire.run_id) is not None:
            return
        if reason := self.blocked(rule):
            raise FloworkError(ErrorCode.FORBIDDEN, reason)
        saved = await self._presets.runnable(rule.preset)
        request = StartRun(
            run_id=fire.run_id,
            workflow_data=saved.workflow_data,
            workflow_json=saved.workflow_json,
            started_by=rule.owner,
            initial_payload=Payload(fire.event),
            mode=rule.run_mode(),
            preset_name=saved.name,
            start_node_id=rule.start_node,
            origin=rule.origin,
        )
        await self._runs.start(request)

    async def stop(self, rule: Rule, run_id: str) -> None:
        """Stop a run for a newer one; one that has ended stays as it is."""
        await self._runs.stop(run_id, rule.owner)
