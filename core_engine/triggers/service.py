"""The triggers of the engine: rules, schedule, webhooks, watchers and events, behind one object."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from core_engine.components.files import RootedFiles
from core_engine.components.outlet import EventOutlet
from core_engine.kernel.ports import EndedRun, Registry, Runs
from core_engine.presets import PresetService
from core_engine.storage import EngineStore
from core_engine.storage.triggers import DeliveryRow, TriggerTable
from core_engine.triggers.admission import Admission
from core_engine.triggers.alarms import Alarms
from core_engine.triggers.counts import Counts
from core_engine.triggers.lanes import Verdict
from core_engine.triggers.publishing import Publishing
from core_engine.triggers.rulebook import RuleBook
from core_engine.triggers.rules import Fire, Rule
from core_engine.triggers.scheduler import Scheduler
from core_engine.triggers.secret import RuleSecrets
from core_engine.triggers.starter import Starter
from core_engine.triggers.watching import Watching
from core_engine.workflow.queries import Query, QueryError
from shared.clock import Clock, iso
from shared.contract.base import Role
from shared.contract.trigger import PlannedStart, SaveTrigger, TriggerItem
from shared.errors import ErrorCode, FloworkError
from shared.ids import new_id

MOST_DELIVERIES = 1_000_000
TIDY_SECONDS = 600.0
_WEEK_MS = 7 * 86_400_000
_LONGEST_KEY = 200
_log = logging.getLogger(__name__)


class TriggerService:
    """Make it, `load` it before the runs are recovered, `start` it after, `close` it before them."""

    def __init__(  # noqa: PLR0913 - what it is wired with
        self,
        store: EngineStore,
        registry: Registry,
        runs: Runs,
        presets: PresetService,
        secrets: RuleSecrets,
        *,
        files: RootedFiles,
        role_of: Callable[[str], Role | None],
        clock: Clock,
    ) -> None:
        self._clock = clock
        self._presets = presets
        self.table = TriggerTable(store)
        self.counts = Counts()
        self.alarms = alarms = Alarms(clock)
        self.rules = RuleBook(self.table, registry, secrets, clock)
        self.starter = Starter(runs, presets, role_of)
        self.admission = Admission(
            self.table, self.rules, self.starter, clock, counts=self.counts, alarms=alarms
        )
        self.scheduler = Scheduler(
            self.table, self.rules, clock, self.fire, counts=self.counts, alarms=alarms
        )
        self.publishing = Publishing(self.rules, runs, self.admission, self.counts, self.fire)
        self._watching = Watching(self.rules, files, self.fire)
        self._tasks: set[asyncio.Task[None]] = set()

    def load(self, outlet: EventOutlet) -> None:
        """Read what is stored and connect to presets and components; blocks for a moment."""
        self.rules.load()
        self.scheduler.load()
        self.admission.load()
        outlet.connect(self.publishing)
        self._presets.subscribe(self.rules.preset_changed)
        self.rules.subscribe(self._forget_gone)

    async def start(self) -> None:
        """Make the rules fit the presets, start what waits, then watch and fire."""
        await self._reconcile()
        await self.admission.start()
        self.scheduler.start()
        self._watching.start()
        self._keep(self._tidy(), "trigger tidying")

    async def close(self) -> None:
        """Fire nothing any more; everything that was taken goes on at the next start."""
        await self._watching.close()
        await self.scheduler.close()
        await self.admission.close()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def wants_end(self, run: EndedRun) -> bool:
        """Whether the end of a run matters here."""
        return run.origin.startswith("trigger:") or self.publishing.wants(run)

    async def run_ended(self, run: EndedRun) -> None:
        """Fire the rules that listen, then let the next in the run's lane start."""
        await self.publishing.run_ended(run)
        await self.admission.ended(run.run_id)

    async def fire(  # noqa: PLR0913 - one keyword for each thing noted with it
        self,
        rule: Rule,
        event: Any,
        *,
        run_id: str = "",
        depth: int = 0,
        decided: tuple[str, int] | None = None,
        delivery: DeliveryRow | None = None,
    ) -> Verdict:
        """Take an event of a rule in; on return it is on the disk or the verdict says why not.

        ``run_id`` makes the same event start one run only. Raises FORBIDDEN for a blocked rule, STORAGE_FULL, and
        what made the start fail for good.
        """
        if reason := self.starter.blocked(rule):
            self.counts.add(rule.id, "failed")
            self.alarms.raise_for(rule, "not_started", f"The rule is blocked: {reason}")
            raise FloworkError(ErrorCode.FORBIDDEN, f"The trigger rule is blocked: {reason}")
        now = self._clock.now_ms()
        data = _event(rule, event, now)
        policy = self.rules.policy(rule)
        wait = round(policy.seconds * 1000) if policy.kind == "debounce" else 0
        fire = Fire(run_id or new_id(), rule.id, _key(policy.key, data), now + wait, now, depth, data)
        return await self.admission.admit(rule, fire, decided=decided, delivery=delivery)

    async def save(self, wanted: SaveTrigger, by: str) -> TriggerItem:
        """Make or replace a rule of a saved preset; its runs start as ``by``."""
        saved = await self._presets.runnable(wanted.preset_name)
        named = wanted.model_copy(update={"preset_name": saved.name})
        if wanted.start_node_id and wanted.start_node_id not in _node_ids(saved.workflow_data):
            message = f"The preset {saved.name!r} has no node {wanted.start_node_id}."
            raise FloworkError(ErrorCode.INVALID_REQUEST, message)
        return self.describe(await self.rules.save(named, by))

    async def switch(self, rule_id: str, *, on: bool) -> TriggerItem:
        """Switch a rule on or off."""
        return self.describe(await self.rules.switch(rule_id, on=on))

    async def delete(self, rule_id: str) -> None:
        """Delete a rule with what waits for it."""
        await self.rules.delete(rule_id)

    async def fire_by_hand(self, rule_id: str, event: Any, by: str) -> Verdict:
        """Fire a rule, also one that is switched off."""
        told = event if isinstance(event, dict) else {"value": event}
        return await self.fire(self.rules.get(rule_id), {"triggered_by": "manual", "fired_by": by, **told})

    def listing(self, preset: str | None = None) -> list[TriggerItem]:
        """Describe the rules."""
        return [self.describe(rule) for rule in self.rules.all(preset)]

    def preview(self, from_ms: int | None, until_ms: int | None, limit: int) -> list[PlannedStart]:
        """Return what starts by time in a span, by default the coming week."""
        begin = self._clock.now_ms() if from_ms is None else from_ms
        return self.scheduler.preview(begin, begin + _WEEK_MS if until_ms is None else until_ms, limit)

    def describe(self, rule: Rule) -> TriggerItem:
        """Return a rule as clients see it."""
        config, has_secret = self.rules.secrets.hidden(rule)
        running, waiting = self.admission.figures(rule.id)
        return TriggerItem(
            id=rule.id,
            preset_name=rule.preset,
            kind=rule.kind,
            name=rule.name,
            enabled=rule.enabled,
            config=config,
            secret_set=has_secret,
            policy=self.rules.policy(rule),
            owner=rule.owner,
            mode=rule.run_mode(),
            payload=rule.payload,
            node_id=rule.node,
            next_run_time=self.scheduler.next_run(rule.id),
            last_due=self.scheduler.last_due(rule.id),
            blocked=self.starter.blocked(rule) or self._watching.problem(rule.id),
            running=running,
            waiting=waiting,
            counts=self.counts.of(rule.id),
            last_alarm=self.alarms.latest(rule.id),
        )

    def figures(self) -> Iterator[tuple[str, int]]:
        """Yield the totals for monitoring."""
        return self.counts.totals()

    async def _reconcile(self) -> None:
        """Catch up on presets that were saved just before a crash, before their rules were."""
        for item in await self._presets.listing():
            if not item.intact:
                continue
            try:
                saved = await self._presets.runnable(item.name)
            except FloworkError as error:
                _log.error(
                    "a preset's triggers are not known", extra={"preset": item.name, "reason": error.message}
                )
                continue
            await self.rules.preset_changed(
                item.name, saved.workflow_data, item.author_id.lower(), again=True
            )

    def _forget_gone(self, rule_id: str) -> None:
        if self.rules.find(rule_id) is None:
            self.counts.forget(rule_id)
            self.alarms.forget(rule_id)
            self._keep(self.admission.drop_rule(rule_id), f"drop events of {rule_id}")

    def _keep(self, work: Any, name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _tidy(self) -> None:
        while True:
            try:
                await self.table.tidy(self._clock.now_ms(), MOST_DELIVERIES)
            except FloworkError as error:
                _log.warning("old deliveries cannot be forgotten now", extra={"reason": error.message})
            await asyncio.sleep(TIDY_SECONDS)


def _node_ids(workflow_data: dict[str, Any]) -> set[str]:
    nodes = workflow_data.get("nodes")
    ids = [node.get("id") for node in nodes if isinstance(node, dict)] if isinstance(nodes, list) else []
    return {node_id for node_id in ids if isinstance(node_id, str)}


def _event(rule: Rule, event: Any, now_ms: int) -> dict[str, Any]:
    """Return what the workflow gets: the event, the rule's payload, and what fired it."""
    added = rule.payload if isinstance(rule.payload, dict) else {"payload": rule.payload}
    told = event if isinstance(event, dict) else {"value": event}
    info = {"type": rule.kind, "source": rule.name, "rule_id": rule.id, "timestamp": iso(now_ms)}
    return {**({} if rule.payload is None else added), **told, "trigger_info": info}


def _key(query: str, event: dict[str, Any]) -> str:
    """Return the key that an event has under a policy; raises INVALID_REQUEST where it cannot be found out."""
    if not query:
        return ""
    try:
        found = Query(query).search(event)
    except QueryError as error:
        message = f"The key {query!r} does not fit the event: {error}"
        raise FloworkError(ErrorCode.INVALID_REQUEST, message) from error
    text = found if isinstance(found, str) else msgspec.json.encode(found, order="sorted").decode()
    return text if len(text) <= _LONGEST_KEY else hashlib.sha256(text.encode()).hexdigest()
