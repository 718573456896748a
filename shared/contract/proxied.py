"""The table of the operations that engines answer; paths are the gateway's and the engine's alike."""

from __future__ import annotations

from typing import Any

from shared.contract import proxy as p
from shared.contract.base import Auth, Rate, Role
from shared.contract.component import ComponentInfo
from shared.contract.files import DirectoryList, DriveItem
from shared.contract.history import ConnectionHistory
from shared.contract.preset import PresetItem
from shared.contract.run import RunDetails, WorkflowStatusUpdate
from shared.contract.variable import Variable

_COMMON = ("FORBIDDEN", "NOT_FOUND", "ENGINE_UNAVAILABLE", "DEADLINE_EXCEEDED")


def _ask(  # noqa: PLR0913 - one keyword for each fact of an operation
    name: str,
    call: str,
    summary: str,
    response: Any,
    tag: str,
    *,
    role: Role | None = Role.READER,
    writes: bool = False,
    status: int = 200,
    body: Any = None,
    media: str = "application/json",
    rate: Rate = Rate.NORMAL,
) -> p.EngineOperation:
    method, path = call.split(" ")
    auth = Auth.NONE if role is None else Auth.WALLET
    more = ("INVALID_REQUEST",) if body else ()
    return p.EngineOperation(
        name, method, path, auth, summary, response, tag, status=status, body=body, errors=(*_COMMON, *more),
        role=role, writes=writes, media=media, rate=rate,
    )  # fmt: skip


LIST_OF = {
    kind: _ask(f"list_{kind}", f"GET /{kind}", f"List the {kind}", list[ComponentInfo], "components")
    for kind in ("modules", "plugins", "tools", "triggers", "widgets")
}
COMPONENT_ICON = _ask(
    "component_icon", "GET /components/{kind}/{component_id}/icon", "A component's icon", bytes, "components",
    role=None, media="image/svg+xml", rate=Rate.LIGHT,
)  # fmt: skip
GET_COMPONENT = _ask(
    "get_component", "GET /components/{kind}/{component_id}", "One component", ComponentInfo, "components"
)
LIST_PRESETS = _ask("list_presets", "GET /presets", "List the saved workflows", list[PresetItem], "presets")
SAVE_PRESET = _ask(
    "save_preset", "POST /presets", "Append a version that its author signed", p.Done, "presets",
    role=Role.ADMIN, writes=True, status=201, body=p.SavePresetBody,
)  # fmt: skip
GET_PRESET = _ask("get_preset", "GET /presets/{preset}", "A saved workflow", dict[str, Any], "presets")
DELETE_PRESET = _ask(
    "delete_preset", "DELETE /presets/{preset}", "Delete a saved workflow", None, "presets",
    role=Role.ADMIN, writes=True, status=204,
)  # fmt: skip
PRESET_EXISTS = _ask(
    "preset_exists",
    "GET /presets/{preset}/exists",
    "Whether a saved workflow exists",
    p.PresetExists,
    "presets",
)
PRESET_VERSIONS = _ask(
    "preset_versions", "GET /presets/{preset}/versions", "Its versions, newest first",
    list[p.PresetVersionItem], "presets",
)  # fmt: skip
PRESET_VERSION = _ask(
    "preset_version", "GET /presets/{preset}/versions/{version}", "One version", dict[str, Any], "presets"
)
LIST_VARIABLES = _ask("list_variables", "GET /variables", "List the variables", list[Variable], "variables")
GET_VARIABLE = _ask("get_variable", "GET /variables/{variable}", "One variable", Variable, "variables")
PUT_VARIABLE = _ask(
    "put_variable", "PUT /variables/{variable}", "Create or change a variable", p.Done, "variables",
    role=Role.ADMIN, writes=True, body=p.VariableBody,
)  # fmt: skip
PATCH_VARIABLE = _ask(
    "switch_variable", "PATCH /variables/{variable}/state", "Switch a variable on or off", p.Done, "variables",
    role=Role.ADMIN, writes=True, body=p.VariableStateBody,
)  # fmt: skip
DELETE_VARIABLE = _ask(
    "delete_variable", "DELETE /variables/{variable}", "Delete a variable", None, "variables",
    role=Role.ADMIN, writes=True, status=204,
)  # fmt: skip
GET_SETTINGS = _ask("get_settings", "GET /settings", "The engine's preferences", dict[str, Any], "settings")
PATCH_SETTINGS = _ask(
    "patch_settings", "PATCH /settings", "Merge preferences", dict[str, Any], "settings",
    role=Role.ADMIN, writes=True, body=p.PreferencesBody,
)  # fmt: skip
LIVE_STATS = _ask("live_stats", "GET /engine/live-stats", "The dashboard's figures", p.LiveStats, "dashboard")
LOCALIZATION = _ask(
    "localization", "GET /localization/{language}", "The engine's words in a language", dict[str, str], "words",
    role=None,
)  # fmt: skip
NEWS = _ask("news", "GET /news", "What is new", list[p.NewsItem], "words", role=None)
RUN_PRESET = _ask(
    "run_preset", "POST /workflow/execute/{preset}", "Run a saved workflow", p.RunAcceptedAnswer, "runs",
    role=Role.RUNNER, writes=True, status=202, body=p.RunPresetBody,
)  # fmt: skip
RUN_STATUS = _ask("run_status", "GET /workflow/status/{job_id}", "How a run stands", RunDetails, "runs")
STOP_RUN = _ask(
    "stop_run", "POST /workflow/stop/{job_id}", "Stop a run", WorkflowStatusUpdate, "runs",
    role=Role.RUNNER, writes=True,
)  # fmt: skip
PAUSE_RUN = _ask(
    "pause_run", "POST /workflow/pause/{job_id}", "Pause a run", WorkflowStatusUpdate, "runs",
    role=Role.RUNNER, writes=True,
)  # fmt: skip
RESUME_RUN = _ask(
    "resume_run", "POST /workflow/resume/{job_id}", "Let a paused run go on", WorkflowStatusUpdate, "runs",
    role=Role.RUNNER, writes=True,
)  # fmt: skip
RUN_HISTORY = _ask(
    "run_history", "GET /workflow/history/{job_id}/{connection_id}", "What went along a connection",
    ConnectionHistory, "runs",
)  # fmt: skip
LIST_DRIVES = _ask(
    "list_drives", "GET /filesystem/drives", "The folders that workflows may use", list[DriveItem], "files",
    role=Role.RUNNER,
)  # fmt: skip
LIST_FOLDER = _ask(
    "list_folder", "GET /filesystem/list", "A folder's content, named by the query member path", DirectoryList,
    "files", role=Role.RUNNER,
)  # fmt: skip
FORWARD = {
    method: p.ForwardOperation(
        f"forward_{method.lower()}", method, "/proxy/{path}", Auth.WALLET,
        f"Any {method} operation of the caller's engine, by its path", Any, "engine proxy", errors=_COMMON,
    )
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE")
}  # fmt: skip
