"""What became of the events of each rule since the engine started."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from shared.contract.trigger import TriggerCounts

NAMES = tuple(TriggerCounts.model_fields)


class Counts:
    """Counts by rule and in all."""

    def __init__(self) -> None:
        self._rules: dict[str, Counter[str]] = {}
        self._total: Counter[str] = Counter()

    def add(self, rule_id: str, name: str, count: int = 1) -> None:
        """Count something of a rule."""
        self._rules.setdefault(rule_id, Counter())[name] += count
        self._total[name] += count

    def deny(self) -> None:
        """Count a call that belongs to no rule."""
        self._total["denied"] += 1

    def of(self, rule_id: str) -> TriggerCounts:
        """Return the counts of a rule."""
        return TriggerCounts(**dict(self._rules.get(rule_id) or {}))

    def forget(self, rule_id: str) -> None:
        """Drop the counts of a rule that is gone; the totals stay."""
        self._rules.pop(rule_id, None)

    def totals(self) -> Iterator[tuple[str, int]]:
        """Yield every name with its total."""
        for name in NAMES:
            yield name, self._total[name]
