"""All trigger rules: kept in the store, changed by commands and by saving presets that hold trigger nodes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import Any

from msgspec.structs import replace
from pydantic import ValidationError

from core_engine.kernel.component import Config
from core_engine.kernel.ports import Registry
from core_engine.storage.triggers import TriggerTable
from core_engine.triggers.nodes import node_rules
from core_engine.triggers.rules import Rule, read_rule, rule_row
from core_engine.triggers.secret import RuleSecrets
from core_engine.workflow.trigger_settings import key_problem, trigger_policy
from shared.clock import Clock
from shared.contract.flow_trigger import TriggerPolicy
from shared.contract.trigger import SaveTrigger
from shared.errors import ErrorCode, FloworkError
from shared.ids import new_id

MOST_RULES = 10_000
_log = logging.getLogger(__name__)


class RuleBook:
    """The rules by id. Every change is synced before the call returns, then the listeners hear of it."""

    def __init__(self, table: TriggerTable, registry: Registry, secrets: RuleSecrets, clock: Clock) -> None:
        self._table = table
        self._registry = registry
        self.secrets = secrets
        self._clock = clock
        self._rules: dict[str, Rule] = {}
        self._configs: dict[str, Config] = {}
        self._ready: dict[str, dict[str, Rule]] = {}
        self._defaults: dict[str, TriggerPolicy] = {}
        self._listeners: list[Callable[[str], None]] = []
        self._changing = asyncio.Lock()

    def load(self) -> None:
        """Read the stored rules; one that is damaged is reported and left out."""
        for row in self._table.rules():
            try:
                self._enter(read_rule(row))
            except FloworkError as error:
                _log.error("a trigger rule is unreadable", extra={"rule": row.id, "reason": error.message})
        self.secrets.mask(self._rules.values())

    def subscribe(self, listener: Callable[[str], None]) -> None:
        """Call back with the id of every rule that was made, changed or deleted."""
        self._listeners.append(listener)

    def all(self, preset: str | None = None) -> list[Rule]:
        """Return the rules, by preset and name."""
        found = (rule for rule in self._rules.values() if preset is None or rule.preset == preset)
        return sorted(found, key=lambda rule: (rule.preset, rule.name, rule.id))

    def of_kind(self, kind: str) -> list[Rule]:
        """Return the rules of a kind that shall fire and can."""
        return list(self._ready.get(kind, {}).values())

    def find(self, rule_id: str) -> Rule | None:
        """Return a rule."""
        return self._rules.get(rule_id)

    def get(self, rule_id: str) -> Rule:
        """Return a rule; raises NOT_FOUND."""
        rule = self._rules.get(rule_id)
        if rule is None:
            raise FloworkError(ErrorCode.NOT_FOUND, f"There is no trigger rule {rule_id}.")
        return rule

    def config(self, rule_id: str) -> Config | None:
        """Return a rule's settings; None where they cannot be used."""
        return self._configs.get(rule_id)

    def policy(self, rule: Rule) -> TriggerPolicy:
        """Return what holds when the rule fires again: its own, the workflow's, or the general policy."""
        return rule.own_policy() or self._defaults.get(rule.preset) or TriggerPolicy()

    async def save(self, wanted: SaveTrigger, by: str) -> Rule:
        """Make or replace a rule; the saved preset must exist. Raises INVALID_REQUEST naming the wrong field."""
        async with self._changing:
            present = self._rules.get(wanted.rule_id) if wanted.rule_id else None
            if present and present.node is not None:
                raise _of_node(present)
            if present is None and len(self._rules) >= MOST_RULES:
                raise FloworkError(ErrorCode.CONFLICT, f"There are {MOST_RULES} trigger rules already.")
            rule_id = wanted.rule_id or new_id()
            if wanted.policy and (problem := key_problem(wanted.policy)):
                raise _wrong("policy.key", problem)
            rule = Rule(
                id=rule_id,
                preset=wanted.preset_name,
                kind=wanted.kind,
                name=wanted.rule_name or wanted.kind,
                owner=by,
                created_at=present.created_at if present else self._clock.now_ms(),
                switched_on=wanted.enabled,
                config=self.secrets.sealed(rule_id, wanted.config, present),
                policy=wanted.policy.model_dump() if wanted.policy else None,
                mode=wanted.mode.value,
                payload=wanted.payload,
                start_node=wanted.start_node_id,
            )
            self._parsed(rule)
            await self._store([rule])
            return rule

    async def delete(self, rule_id: str) -> None:
        """Delete a rule; raises CONFLICT for one that comes from a node."""
        async with self._changing:
            rule = self.get(rule_id)
            if rule.node is not None:
                raise _of_node(rule)
            await self._store((), [rule_id])

    async def switch(self, rule_id: str, *, on: bool) -> Rule:
        """Switch a rule on or off."""
        async with self._changing:
            rule = replace(self.get(rule_id), switched_on=on)
            await self._store([rule])
            return rule

    async def preset_changed(
        self, name: str, workflow_data: dict[str, Any] | None, by: str, *, again: bool = False
    ) -> None:
        """Make the rules of a preset's trigger nodes fit its newest version; without one, drop all its rules.

        ``again`` tells that nobody saves: rules that fit already keep their owner.
        """
        async with self._changing:
            mine = {rule.id: rule for rule in self._rules.values() if rule.preset == name}
            self._defaults.pop(name, None)
            if workflow_data is None:
                await self._store((), list(mine))
                return
            if policy := trigger_policy(workflow_data):
                self._defaults[name] = policy
            wanted = node_rules(name, workflow_data, by, self._clock.now_ms())
            found = {rule.id: self._merged(rule, mine.get(rule.id), again=again) for rule in wanted}
            gone = [rule.id for rule in mine.values() if rule.node is not None and rule.id not in found]
            changed = [rule for rule in found.values() if rule != mine.get(rule.id)]
            if changed or gone:
                await self._store(changed, gone)

    def _merged(self, rule: Rule, present: Rule | None, *, again: bool) -> Rule:
        """Return a node's rule as it shall be kept, judged, its secret sealed and people's choices taken over."""
        if present is None:
            config = self.secrets.sealed(rule.id, rule.config)
            return self._judged(replace(rule, config=config))
        config = self.secrets.resealed(rule, present)
        kept = replace(rule, created_at=present.created_at, switched_on=present.switched_on, config=config)
        kept = self._judged(kept)
        same = again and replace(kept, owner=present.owner) == present
        return present if same else kept

    def _judged(self, rule: Rule) -> Rule:
        try:
            self._parsed(rule)
        except FloworkError as error:
            return replace(rule, problem=rule.problem or error.message)
        return rule

    def _parsed(self, rule: Rule) -> Config:
        """Return a rule's settings; raises INVALID_REQUEST naming what is wrong."""
        component = self._registry.find(rule.module_id)
        if component is None:
            raise _wrong("kind", f"The component {rule.module_id} is not installed.")
        shown, has_secret = self.secrets.hidden(rule)
        if rule.kind == "webhook" and shown.get("auth", "secret") != "none" and not has_secret:
            raise _wrong("config.secret", "A webhook needs a secret, or auth none.")
        try:
            parsed: Config = component.parse_config(shown)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            path = ".".join(["config", *map(str, first["loc"])])
            raise _wrong(path, str(first["msg"])) from error
        return parsed

    async def _store(self, rules: Iterable[Rule], gone: Iterable[str] = ()) -> None:
        rules, gone = list(rules), list(gone)
        await self._table.put_rules([rule_row(rule) for rule in rules], gone)
        for rule in rules:
            self._enter(rule)
        for rule_id in gone:
            self._take_out(rule_id)
        self.secrets.mask(rules, gone)
        for rule_id in [*(rule.id for rule in rules), *gone]:
            for listener in self._listeners:
                listener(rule_id)

    def _take_out(self, rule_id: str) -> None:
        rule = self._rules.pop(rule_id, None)
        self._configs.pop(rule_id, None)
        if rule is not None:
            self._ready.get(rule.kind, {}).pop(rule_id, None)

    def _enter(self, rule: Rule) -> None:
        self._take_out(rule.id)
        self._rules[rule.id] = rule
        if rule.problem is None:
            try:
                self._configs[rule.id] = self._parsed(rule)
            except FloworkError as error:
                self._rules[rule.id] = replace(rule, problem=error.message)
                return
            if rule.enabled:
                self._ready.setdefault(rule.kind, {})[rule.id] = rule


def _of_node(rule: Rule) -> FloworkError:
    message = (
        f"The rule comes from the node {rule.node} of the preset {rule.preset!r}; change that and save it."
    )
    return FloworkError(ErrorCode.CONFLICT, message, details={"node_id": rule.node})


def _wrong(field: str, problem: str) -> FloworkError:
    details = [{"field": field, "problem": problem}]
    return FloworkError(ErrorCode.INVALID_REQUEST, f"trigger rule: {field}: {problem}", details=details)
