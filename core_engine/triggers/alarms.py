"""Alarms of triggers: a start by a rule came late, or there was none at all (protocol §7.5, extended)."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Literal, NamedTuple

from core_engine.kernel.ports import Frame
from core_engine.triggers.rules import Rule
from shared.clock import Clock, iso
from shared.contract.trigger import TriggerAlarm

QUIET_MS = 60_000
"""The same alarm of a rule is not raised again sooner than this."""

_log = logging.getLogger(__name__)


class Raised(NamedTuple):
    """An alarm, with the rule that it is about."""

    alarm: TriggerAlarm
    rule: Rule

    @property
    def frame(self) -> Frame:
        """The alarm as it is sent."""
        return self.alarm.model_dump(mode="json", exclude_none=True)


class Alarms:
    """Tells each alarm to the listeners and the log, and keeps the latest of each rule."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._listeners: list[Callable[[Raised], None]] = []
        self._latest: dict[str, TriggerAlarm] = {}
        self._raised: dict[tuple[str, str], int] = {}

    def listen(self, listener: Callable[[Raised], None]) -> None:
        """Tell the listener of every alarm from here on; it must not block."""
        self._listeners.append(listener)

    def raise_for(
        self,
        rule: Rule,
        kind: Literal["late", "not_started"],
        message: str,
        *,
        due: int | None = None,
        count: int = 1,
    ) -> None:
        """Raise an alarm; ``due`` (Unix ms) is when the first of ``count`` starts should have been."""
        now = self._clock.now_ms()
        before = self._raised.get((rule.id, kind))
        if before is not None and abs(now - before) < QUIET_MS:
            return
        self._raised[rule.id, kind] = now
        alarm = TriggerAlarm(
            rule_id=rule.id,
            preset_name=rule.preset,
            rule_name=rule.name,
            kind=kind,
            message=message,
            due=due,
            count=count,
            timestamp=iso(now),
        )
        self._latest[rule.id] = alarm
        facts = {"rule": rule.id, "preset": rule.preset, "alarm": kind, "reason": message}
        _log.warning("a trigger raises an alarm", extra=facts)
        for listener in self._listeners:
            listener(Raised(alarm, rule))

    def latest(self, rule_id: str) -> TriggerAlarm | None:
        """Return the latest alarm of a rule since the engine started."""
        return self._latest.get(rule_id)

    def forget(self, rule_id: str) -> None:
        """Drop what is kept of a rule that is gone."""
        self._latest.pop(rule_id, None)
        for kind in ("late", "not_started"):
            self._raised.pop((rule_id, kind), None)
