"""Starts the preset that is to meet a failed run, or an alarm of one (protocol §5.5)."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import uuid
from collections.abc import Mapping
from typing import Any, Protocol

from core_engine.kernel.payload import Payload
from core_engine.kernel.ports import EndedRun, RaisedAlarm, Runs, StartRun
from core_engine.presets.service import SavedWorkflow
from core_engine.triggers.alarms import Raised
from core_engine.workflow.flow_rules import read_flow
from shared.contract.run import RunStatus
from shared.errors import ErrorCode, FloworkError

_LOG = logging.getLogger(__name__)
_MOST_ALARMS = 1000
_OWN_ORIGINS = ("error:", "alarm:")
# worth another try at the next start; everything else would end the same way
_PASSING = frozenset(
    {
        ErrorCode.RATE_LIMITED,
        ErrorCode.ENGINE_UNAVAILABLE,
        ErrorCode.STORAGE_FULL,
        ErrorCode.DEADLINE_EXCEEDED,
    }
)


class Presets(Protocol):
    """Where saved workflows are."""

    async def runnable(self, name: str) -> SavedWorkflow:
        """Return the newest version; raises NOT_FOUND, JOURNAL_CORRUPT."""
        ...


class Preferences(Protocol):
    """Where users set which preset meets failures."""

    def all(self) -> dict[str, Any]:
        """Return every preference."""
        ...


class FollowUps:
    """Hears of failed runs and of alarms.

    The run that follows has an id made from that of the one before, so hearing of it twice starts it once. What
    these runs come to is followed by nothing, so they never feed themselves.
    """

    def __init__(self, runs: Runs, presets: Presets, preferences: Preferences) -> None:
        self._runs = runs
        self._presets = presets
        self._preferences = preferences
        self._alarms: asyncio.Queue[RaisedAlarm | Raised] = asyncio.Queue(_MOST_ALARMS)
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Act on alarms from here on; to be called on the event loop, before the runs recover."""
        self._runs.on_end(self)
        self._runs.on_alarm(self.raised)
        self._task = asyncio.create_task(self._work(), name="alarms of runs")

    async def close(self) -> None:
        """End; alarms that nobody acted on yet are told again at the next start while their runs go on."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def wants_end(self, run: EndedRun) -> bool:
        """Whether the run failed and neither belongs to another one nor follows one."""
        return (
            run.status is RunStatus.FAILED and run.parent is None and not run.origin.startswith(_OWN_ORIGINS)
        )

    async def run_ended(self, run: EndedRun) -> None:
        """Start the preset of the failed run's workflow, or else that of the engine."""
        failure = await self._runs.failure(run.run_id)
        name = failure.error_preset or self._general_preset()
        if name is None:
            return
        data = {
            "job_id": run.run_id,
            "preset_name": run.preset_name,
            "error": run.error,
            "failed_nodes": failure.failed_nodes,
            "started_by": run.started_by,
            "mode": run.mode.value,
        }
        await self._follow("error", run, name, data)

    def raised(self, alarm: RaisedAlarm) -> None:
        """Take an alarm whose workflow names a preset."""
        if alarm.preset is None or alarm.origin.startswith(_OWN_ORIGINS):
            return
        try:
            self._alarms.put_nowait(alarm)
        except asyncio.QueueFull:
            _LOG.warning("Too many alarms wait; one is not acted on.", extra={"run": alarm.run_id})

    def trigger_raised(self, raised: Raised) -> None:
        """Take an alarm of a trigger whose owner may start runs."""
        try:
            self._alarms.put_nowait(raised)
        except asyncio.QueueFull:
            _LOG.warning("Too many alarms wait; one is not acted on.", extra={"rule": raised.rule.id})

    async def _work(self) -> None:
        while True:
            alarm = await self._alarms.get()
            try:
                if isinstance(alarm, Raised):
                    await self._meet_trigger_alarm(alarm)
                else:
                    await self._meet_alarm(alarm)
            except Exception:  # noqa: BLE001 - the next alarm is acted on all the same
                source = alarm.rule.id if isinstance(alarm, Raised) else alarm.run_id
                _LOG.exception("An alarm's preset was not started.", extra={"source": source})

    async def _meet_alarm(self, alarm: RaisedAlarm) -> None:
        data = {
            "job_id": alarm.run_id,
            "preset_name": alarm.preset_name,
            "alarm": alarm.kind,
            "message": alarm.message,
            "started_by": alarm.started_by,
            "mode": alarm.mode.value,
        }
        await self._follow("alarm", alarm, alarm.preset or "", data, alarm.kind)

    async def _meet_trigger_alarm(self, raised: Raised) -> None:
        """Start the preset for alarms of the workflow that a trigger should have started."""
        alarm, rule = raised
        name = read_flow(
            (await self._presets.runnable(rule.preset)).workflow_data, _unread
        ).settings.alarm_preset
        if not name:
            return
        saved = await self._presets.runnable(name)
        told = ("rule_id", "preset_name", "rule_name", "message", "due", "count")
        data = {key: value for key, value in raised.frame.items() if key in told}
        request = StartRun(
            run_id=follow_up_id(f"{rule.id} {alarm.timestamp}", f"alarm{alarm.kind}"),
            workflow_data=saved.workflow_data,
            workflow_json=saved.workflow_json,
            started_by=rule.owner,
            initial_payload=Payload(data | {"alarm": alarm.kind, "mode": rule.mode}),
            mode=rule.run_mode(),
            preset_name=saved.name,
            origin=f"alarm:{rule.id}",
        )
        await self._runs.start(request)

    async def _follow(
        self, why: str, run: EndedRun | RaisedAlarm, name: str, data: Mapping[str, Any], kind: str = ""
    ) -> None:
        facts = {"run": run.run_id, "preset": name}
        try:
            saved = await self._presets.runnable(name)
            request = StartRun(
                run_id=follow_up_id(run.run_id, why + kind),
                workflow_data=saved.workflow_data,
                workflow_json=saved.workflow_json,
                started_by=run.started_by,
                initial_payload=Payload(dict(data)),
                mode=run.mode,
                preset_name=saved.name,
                origin=f"{why}:{run.run_id}",
            )
            await self._runs.start(request)
        except FloworkError as error:
            if error.code in _PASSING:
                raise
            if error.code is not ErrorCode.CONFLICT:  # it was started before, with an older version
                reason = {"code": error.code.value, "reason": error.message}
                _LOG.warning("The preset that is to follow a run cannot start.", extra=facts | reason)
            return
        _LOG.info("A run is followed by another.", extra=facts | {"follow_up": request.run_id})

    def _general_preset(self) -> str | None:
        """Return the preset that meets the failures of every workflow, if users want one."""
        known = self._preferences.all()
        name = known.get("global_error_workflow_preset")
        wanted = known.get("global_error_handler_enabled") is True
        return name if wanted and isinstance(name, str) and name.strip() else None


def _unread(_problem: str, _place: str) -> None:
    """Let a problem of the workflow be: it was told when that was saved."""


def follow_up_id(run_id: str, why: str) -> str:
    """Return the id of the run that follows another: always the same for the same reason."""
    digest = hashlib.sha256(f"{run_id}\n{why}".encode()).hexdigest()
    return str(uuid.UUID(hex=digest[:32]))
