"""A node that runs again and again (protocol §5.5): how often, as long as what holds, and the sleep in between."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core_engine.kernel.component import Component
from core_engine.kernel.payload import Payload
from shared.contract.flow_rules import LONGEST_SECONDS

MOST_LAPS = 10_000
"""How often a node may run in one loop."""

_TRUE = frozenset({"true", "1", "yes", "on"})


@dataclass(frozen=True, slots=True)
class Condition:
    """A comparison of one value of a payload with a given one."""

    path: tuple[str, ...]
    equal: bool
    value: Any

    def holds(self, payload: Payload) -> bool:
        """Compare; the given value is read as what the payload's value is: a truth value, a number or a text."""
        found = self._find(payload)
        return _same(found, self.value) is self.equal

    def _find(self, payload: Payload) -> Any:
        wire = payload.to_wire()
        found: Any = wire if self.path[0] in wire else payload.data
        for name in self.path:
            if isinstance(found, Mapping):
                found = found.get(name)
            elif isinstance(found, list) and name.isascii() and name.isdigit() and int(name) < len(found):
                found = found[int(name)]
            else:
                return None
        return found


@dataclass(frozen=True, slots=True)
class Lap:
    """``times`` runs, or runs as long as the condition holds for what the last one gave; ``sleep`` is a range (s)."""

    times: int
    condition: Condition | None = None
    sleep: tuple[float, float] = (0.0, 0.0)

    def again(self, done: int, result: Payload) -> bool:
        """Whether another run is wanted after so many, of which the last gave the result."""
        return self.condition.holds(result) if self.condition else done < self.times

    def sleep_seconds(self, rng: random.Random) -> float:
        """Return how long to sleep before the next run."""
        shortest, longest = self.sleep
        return rng.uniform(shortest, longest) if longest > 0 else 0.0


class _Reader:
    """Reads behaviour settings, unless the component has settings of its own by these names."""

    def __init__(self, values: Mapping[str, Any], component: Component[Any]) -> None:
        self._values = values
        self._own = component.config_model.model_fields

    def value(self, *names: str) -> Any:
        for name in names:
            if name in self._values and name not in self._own:
                return self._values[name]
        return None

    def flag(self, name: str) -> bool:
        value = self.value(name)
        return value.strip().lower() in _TRUE if isinstance(value, str) else value is True or value == 1

    def number(self, default: float, *names: str) -> float:
        value = self.value(*names)
        if value is None or value == "":
            return default
        try:
            number = float(value)
        except (TypeError, ValueError):
            number = -1.0
        if not 0 <= number <= LONGEST_SECONDS:
            raise ValueError(f"{names[0]} must be a number from 0 to {LONGEST_SECONDS}.")
        return number


def read_lap(values: Mapping[str, Any], component: Component[Any]) -> Lap | None:
    """Return the loop that ``config_values`` speak of, None without one; raises ValueError saying what is wrong."""
    read = _Reader(values, component)
    if not read.flag("enable_loop"):
        return None
    sleep = _sleep(read) if read.flag("enable_sleep") else (0.0, 0.0)
    if read.value("loop_type") == "condition":
        return Lap(MOST_LAPS, _condition(read), sleep)
    times = read.number(1.0, "iterations", "loop_iterations")
    if times > MOST_LAPS:
        raise ValueError(f"A loop has at most {MOST_LAPS:,} iterations.")
    return Lap(max(int(times), 1), None, sleep)


def _sleep(read: _Reader) -> tuple[float, float]:
    if read.value("sleep_type") == "random_range":
        one, other = read.number(1.0, "random_min"), read.number(5.0, "random_max")
        return min(one, other), max(one, other)
    fixed = read.number(1.0, "static_duration")
    return fixed, fixed


def _condition(read: _Reader) -> Condition:
    path = read.value("loop_condition_var")
    operator = read.value("loop_condition_op") or "=="
    if not isinstance(path, str) or not path.strip():
        raise ValueError("loop_condition_var must name a value of the payload, such as data.status.")
    if operator not in {"==", "!="}:
        raise ValueError("loop_condition_op must be == or !=.")
    return Condition(tuple(path.strip().split(".")), operator == "==", read.value("loop_condition_val"))


def _same(left: Any, right: Any) -> bool:
    if isinstance(left, bool):
        return left is (right.strip().lower() in _TRUE if isinstance(right, str) else bool(right))
    if isinstance(left, int | float):
        try:
            return float(left) == float(right)
        except (TypeError, ValueError):
            return False
    if isinstance(left, str) or left is None:
        return (left or "") == ("" if right is None else str(right))
    return bool(left == right)
