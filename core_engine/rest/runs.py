"""Runs over REST: start a saved workflow, read and steer a run."""

from __future__ import annotations

from core_engine.kernel.payload import Payload
from core_engine.kernel.ports import Frame, Runs, StartRun
from core_engine.presets import PresetService
from core_engine.rest.exchange import RestCaller, RestRequest
from core_engine.rest.router import answers
from core_engine.variables import VariableService
from core_engine.workflow.failures import mask_value
from shared.contract.base import Role
from shared.contract.history import ConnectionHistory, PassedPayload
from shared.contract.proxied import PAUSE_RUN, RESUME_RUN, RUN_HISTORY, RUN_PRESET, RUN_STATUS, STOP_RUN
from shared.contract.proxy import RunAcceptedAnswer, RunPresetBody
from shared.contract.run import RunDetails
from shared.errors import ErrorCode, FloworkError
from shared.ids import is_job_id, new_id, same_address


class RunResource:
    """Answers how runs go; a run of somebody else does not exist for the others, except for admins."""

    def __init__(self, runs: Runs, presets: PresetService, variables: VariableService) -> None:
        self._runs = runs
        self._presets = presets
        self._variables = variables

    @answers(RUN_PRESET)
    async def start(
        self, caller: RestCaller, preset: str, body: RunPresetBody, request: RestRequest
    ) -> RunAcceptedAnswer:
        """Start the newest version of a preset; with a ``job_id``, once, however often it is asked for."""
        saved = await self._presets.runnable(preset)
        run_id = body.job_id or new_id()
        await self._runs.start(
            StartRun(
                run_id=run_id,
                workflow_data=saved.workflow_data,
                workflow_json=saved.workflow_json,
                started_by=caller.address,
                initial_payload=Payload.from_value(body.initial_payload),
                mode=body.mode,
                preset_name=saved.name,
                trace=request.traceparent,
            )
        )
        return RunAcceptedAnswer(message=f"Workflow {saved.name} was started.", job_id=run_id)

    @answers(RUN_STATUS)
    async def status(self, caller: RestCaller, job_id: str) -> RunDetails:
        """Return a run with its nodes."""
        return await self._runs.details(self._visible(caller, job_id))

    @answers(STOP_RUN)
    async def stop(self, caller: RestCaller, job_id: str) -> Frame:
        """Stop a run."""
        return await self._runs.stop(self._visible(caller, job_id), caller.address)

    @answers(PAUSE_RUN)
    async def pause(self, caller: RestCaller, job_id: str) -> Frame:
        """Pause a run."""
        return await self._runs.pause(self._visible(caller, job_id), caller.address)

    @answers(RESUME_RUN)
    async def resume(self, caller: RestCaller, job_id: str) -> Frame:
        """Let a paused run go on."""
        return await self._runs.resume(self._visible(caller, job_id), caller.address)

    @answers(RUN_HISTORY)
    async def history(self, caller: RestCaller, job_id: str, connection_id: str) -> ConnectionHistory:
        """Return what went along a connection."""
        run_id = self._visible(caller, job_id)
        found = await self._runs.connection_history(run_id, connection_id)
        hidden = self._variables.secrets()
        passed = [PassedPayload(**mask_value(item, hidden)) for item in found]
        return ConnectionHistory(job_id=run_id, connection_id=connection_id, history=passed)

    def _visible(self, caller: RestCaller, job_id: str) -> str:
        starter = self._runs.summary(job_id).started_by if is_job_id(job_id) else ""
        if starter and (caller.role >= Role.ADMIN or same_address(starter, caller.address)):
            return job_id
        raise FloworkError(ErrorCode.NOT_FOUND, f"There is no run {job_id[:80]}.")
