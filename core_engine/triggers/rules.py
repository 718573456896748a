"""A trigger rule as the engine keeps it, and the events it was fired with."""

from __future__ import annotations

import hashlib
import uuid
from typing import Any

import msgspec

from core_engine.storage.triggers import FireRow, RuleRow
from shared.contract.flow_trigger import TriggerPolicy
from shared.contract.run import RunMode
from shared.errors import ErrorCode, FloworkError

KINDS = ("cron", "webhook", "file_system", "process", "event_bus", "run_finished", "manual")
MODULES = {f"{kind}_trigger": kind for kind in KINDS}
"""The trigger nodes: module id and kind of rule."""


class Rule(msgspec.Struct, frozen=True, omit_defaults=True):
    """What fires a saved workflow, and how. ``created_at`` is Unix milliseconds.

    ``node`` is the trigger node it comes from, ``start_node`` where its runs start. ``switched_on`` is what people
    chose, ``node_on`` what the preset says. ``problem`` is why its settings cannot be used. A secret in ``config`` is
    sealed, see `core_engine.triggers.secret`.
    """

    id: str
    preset: str
    kind: str
    name: str
    owner: str
    created_at: int
    switched_on: bool = True
    node_on: bool = True
    config: dict[str, Any] = {}
    policy: dict[str, Any] | None = None
    mode: str = "EXECUTE"
    payload: Any = None
    node: str | None = None
    start_node: str | None = None
    problem: str | None = None

    @property
    def enabled(self) -> bool:
        """Whether it shall fire."""
        return self.switched_on and self.node_on

    @property
    def module_id(self) -> str:
        """The component that its settings belong to."""
        return f"{self.kind}_trigger"

    @property
    def origin(self) -> str:
        """What its runs say of what started them."""
        return f"trigger:{self.id}"

    def own_policy(self) -> TriggerPolicy | None:
        """Return the policy that stands in the rule itself."""
        return None if self.policy is None else TriggerPolicy.model_validate(self.policy)

    def run_mode(self) -> RunMode:
        """Return the mode of its runs."""
        return RunMode(self.mode)


class Fire(msgspec.Struct, frozen=True):
    """An event that a rule took, with the run it starts; times are Unix milliseconds, see `FireRow`."""

    run_id: str
    rule: str
    key: str
    due: int
    at: int
    depth: int
    event: Any

    def row(self) -> FireRow:
        """Return it as it is stored."""
        return FireRow(self.run_id, self.rule, self.key, self.due, self.at, self.depth, _ENCODE(self.event))

    @classmethod
    def of(cls, row: FireRow) -> Fire:
        """Read a stored one."""
        event = msgspec.json.decode(row.body)
        return cls(row.run_id, row.rule, row.key, row.due, row.at, row.depth, event)


_ENCODE = msgspec.json.Encoder().encode
_DECODE_RULE = msgspec.json.Decoder(Rule).decode


def rule_row(rule: Rule) -> RuleRow:
    """Return a rule as it is stored."""
    return RuleRow(rule.id, _ENCODE(rule))


def read_rule(row: RuleRow) -> Rule:
    """Return a stored rule; raises JOURNAL_CORRUPT for one that cannot be read."""
    try:
        return _DECODE_RULE(row.body)
    except (msgspec.DecodeError, UnicodeError) as error:
        message = f"The trigger rule {row.id} cannot be read: {error}"
        raise FloworkError(ErrorCode.JOURNAL_CORRUPT, message) from error


def id_from(*parts: str | int) -> str:
    """Return the id that these parts always give, in the form of a uuid."""
    digest = hashlib.sha256(_ENCODE(parts)).digest()
    return str(uuid.UUID(bytes=digest[:16], version=4))
