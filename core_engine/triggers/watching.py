"""Keeps a watcher for every enabled rule that watches files or programs, and tells why one cannot watch."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any, Protocol

from core_engine.components.builtin.file_system_trigger.component import FileSystemConfig
from core_engine.components.builtin.process_trigger.component import ProcessConfig
from core_engine.components.files import RootedFiles
from core_engine.triggers.file_changes import watch_files
from core_engine.triggers.processes import watch_processes
from core_engine.triggers.rulebook import RuleBook
from core_engine.triggers.rules import Rule
from shared.errors import FloworkError

KINDS = ("file_system", "process")
_PAUSE = 10.0
_log = logging.getLogger(__name__)


class Firing(Protocol):
    """Has a rule fire; see `TriggerService.fire`."""

    async def __call__(self, rule: Rule, event: dict[str, Any]) -> Any:
        """Take the event in."""
        ...


class Watching:
    """One task a rule. What happens while the engine is down, or between two looks, is not seen."""

    def __init__(self, rules: RuleBook, files: RootedFiles, fire: Firing) -> None:
        self._rules = rules
        self._files = files
        self._fire = fire
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._ending: set[asyncio.Task[None]] = set()
        self._problems: dict[str, str] = {}

    def start(self) -> None:
        """Begin to watch."""
        for kind in KINDS:
            for rule in self._rules.of_kind(kind):
                self._changed(rule.id)
        self._rules.subscribe(self._changed)

    async def close(self) -> None:
        """Stop watching."""
        tasks = [*self._tasks.values(), *self._ending]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def problem(self, rule_id: str) -> str | None:
        """Return why a rule cannot watch at the moment."""
        return self._problems.get(rule_id)

    def _changed(self, rule_id: str) -> None:
        task = self._tasks.pop(rule_id, None)
        if task:
            task.cancel()
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)
        self._problems.pop(rule_id, None)
        rule = self._rules.find(rule_id)
        if rule and rule.kind in KINDS and rule.enabled and self._rules.config(rule_id):
            self._tasks[rule_id] = asyncio.create_task(self._watch(rule), name=f"watch of rule {rule_id}")

    async def _watch(self, rule: Rule) -> None:
        while True:
            try:
                async for event in self._events(rule):
                    self._problems.pop(rule.id, None)
                    await self._tell(rule, event)
                problem = "What it watches is gone."
            except (FloworkError, OSError) as error:
                problem = str(error)
            if self._problems.get(rule.id) != problem:
                self._problems[rule.id] = problem
                _log.warning("a rule cannot watch", extra={"rule": rule.id, "reason": problem})
            await asyncio.sleep(_PAUSE)

    def _events(self, rule: Rule) -> AsyncIterator[dict[str, Any]]:
        config = self._rules.config(rule.id)
        if isinstance(config, FileSystemConfig):
            return watch_files(config, self._files)
        if isinstance(config, ProcessConfig):
            return watch_processes(config)
        raise TypeError("only rules with settings to watch by are watched")

    async def _tell(self, rule: Rule, event: dict[str, Any]) -> None:
        try:
            await self._fire(rule, event)
        except FloworkError as error:
            _log.warning("a watching rule did not start", extra={"rule": rule.id, "reason": error.message})
