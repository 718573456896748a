"""The relay: commands and events of an engine under their Socket.IO names, through the gateway (protocol §3).

On `/gui-socket` an event is ``{"v": 2, "payload": {…}}``. On `/engine-socket` the gateway passes commands on as
`RelayCommand` and the engine sends `RelayEvents` back; a *session* is one web page, over all its reconnects.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from shared.contract import catalog
from shared.contract.base import Incoming, JobId, Outgoing, Role
from shared.contract.engine import EngineVitals
from shared.contract.run import StatusData
from shared.contract.share_link import RelayShare
from shared.ids import is_job_id

VERSION = 2
OPEN, COMMAND, LEFT, EVENTS = "relay_open", "relay_command", "relay_left", "relay_events"
MAX_BATCH = 500
MAX_RUNS = 64
FINAL = frozenset({"SUCCEEDED", "FAILED", "STOPPED"})

FILES, INSTALL, UNINSTALL = "filesystem_list_request", "install_component", "uninstall_component"
STARTS = frozenset({"execute_workflow", "execute_standalone_node"})
_EXTRA = {FILES: Role.RUNNER, INSTALL: Role.ADMIN, UNINSTALL: Role.ADMIN}
_OWN_EVENTS = ("component_install_status", "settings_state")


class RelayAuth(Incoming):
    """How the page signed in on `/gui-socket`: the text, and its EIP-191 signature by the address.

    A contract wallet's signature is longer than a key's; engines accept keys only.
    """

    address: str = Field(max_length=42)
    message: str = Field(max_length=1024)
    signature: str = Field(max_length=4098)


class RelayOpen(Incoming):
    """`/engine-socket` event ``relay_open``, gateway to engine: the page is there (again).

    ``max_bytes`` is the longest frame that the gateway accepts; ``runs`` are the unfinished runs whose events the
    page was sent from this engine, with the number of the last of these: an engine that was restarted goes on there.
    ``share`` is set for a visitor of a share link, whose rights are those of the link and no others.
    """

    session: str = Field(min_length=16, max_length=64)
    auth: RelayAuth
    max_bytes: int = Field(default=1024 * 1024, ge=1024)
    runs: dict[JobId, int] = Field(default_factory=dict, max_length=MAX_RUNS)
    share: RelayShare | None = None


class RelayCommand(RelayOpen):
    """`/engine-socket` event ``relay_command``, gateway to engine, acknowledged with ``{"ok": true}``.

    Either ``envelope`` is a complete signed envelope as its client made it, or ``payload`` is the JSON text of
    an unsigned command, for which only the page's sign-in speaks. ``traceparent`` is the trace that
    the command belongs to (W3C); nothing but spans depends on it.
    """

    event: str = Field(max_length=80)
    payload: str | None = None
    envelope: str | None = None
    traceparent: str | None = Field(default=None, max_length=55)


class RelayLeft(Incoming):
    """`/engine-socket` event ``relay_left``, gateway to engine: the page closed its last connection."""

    session: str


class RelayedEvent(Incoming):
    """One event for a page, as the page shall get it."""

    event: str = Field(max_length=80)
    data: dict[str, Any]


class RelayEvents(Incoming):
    """`/engine-socket` event ``relay_events``, engine to gateway; acknowledged with `RelayReceipt`."""

    session: str
    events: list[RelayedEvent] = Field(max_length=MAX_BATCH)


class RelayReceipt(Incoming):
    """What became of the events: handed on, or dropped. ``room`` says how many more the page can take now."""

    ok: bool
    room: int = MAX_BATCH


class RelayRunStatus(Outgoing):
    """`/gui-socket` event ``WORKFLOW_EXECUTION_UPDATE``."""

    job_id: JobId
    status_data: StatusData
    seq: int | None = None
    request_id: str | None = None


class RelayMetric(Outgoing):
    """The node's state inside a ``NODE_METRIC_UPDATE``; ``timestamp`` is Unix time in seconds."""

    node_id: str
    status: Literal["RUNNING", "SUCCESS", "ERROR"]
    timestamp: float
    module_id: str
    attempt: int = 1
    execution_time_ms: float | None = None
    error: str | None = None
    retry_in_seconds: float | None = None


class RelayNodeMetric(Outgoing):
    """`/gui-socket` event ``NODE_METRIC_UPDATE``."""

    job_id: JobId
    seq: int
    metric: RelayMetric


class RelayConnection(Outgoing):
    """`/gui-socket` event ``CONNECTION_UPDATE``."""

    job_id: JobId
    seq: int
    connection_id: str
    status: Literal["ACTIVE"]


class RelayLog(Outgoing):
    """`/gui-socket` event ``WORKFLOW_LOG_ENTRY``; ``ts`` is ISO 8601 in UTC, ``workflow_context_id`` the run's id."""

    job_id: JobId
    seq: int
    level: str
    source: str
    message: str
    ts: str
    workflow_context_id: JobId
    node_id: str | None = None


class RelayPopupConfig(Outgoing):
    """How a popup looks; ``auto_close`` is in seconds, 0 stays."""

    theme: str
    auto_close: float
    type: Literal["text", "json"]


class RelayPopup(Outgoing):
    """`/gui-socket` event ``SHOW_DEBUG_POPUP``."""

    job_id: JobId
    seq: int
    node_id: str
    title: str
    content: Any
    config: RelayPopupConfig


def relayed_commands() -> dict[str, Role]:
    """Return the names that a page may send to an engine, with the least role that each of them needs."""
    return {name: model.role for name, model in catalog.commands().items()} | _EXTRA


def relayed_events() -> frozenset[str]:
    """Return the names that an engine may send to a page."""
    named = {event.relay for event in catalog.events().values()} - {EngineVitals.relay}
    return frozenset({*named, *_OWN_EVENTS})


def enveloped(event: str, data: dict[str, Any]) -> dict[str, Any]:
    """Return an event's data as pages expect it: answers in the envelope, events of runs bare (protocol §3.2)."""
    wrapped = event.startswith("response_") or event in {
        "component_install_status",
        "CONNECTION_DATA_RESPONSE",
    }
    # Pages read `data.payload or data`: nothing bare may have a member of that name.
    return {"v": VERSION, "payload": data} if wrapped or "payload" in data else data


def refused_answer(event: str, payload: dict[str, Any], text: str) -> list[tuple[str, dict[str, Any]]]:
    """Return the documented events that answer a command which was not carried out.

    None for a command that has no such answer: an ``error`` event says it. A start that names its run also ends
    it, beside that ``error``, so that no page waits for it.
    """
    if event in STARTS:
        named = _echo(payload, "job_id")
        data: dict[str, Any] = {"status_data": {"status": "FAILED", "error_message": text}}
        return [("WORKFLOW_EXECUTION_UPDATE", named | data)] if is_job_id(named.get("job_id", "")) else []
    if event in {INSTALL, UNINSTALL}:
        told = _echo(payload, "component_id", "component_type")
        return [("component_install_status", told | {"success": False, "message": text})]
    if event == "request_components_list":
        listed = {"component_type": "modules"} | _echo(payload, "component_type")
        return [("response_component_list", listed | {"components": [], "error": text})]
    if event == "request_settings":
        return [("settings_response", {"error": text}), ("settings_state", {"error": text})]
    if event in _ANSWERS:
        name, members = _ANSWERS[event]
        return [(name, _echo(payload, *members) | {"error": text})]
    return []


_ANSWERS: dict[str, tuple[str, tuple[str, ...]]] = {
    "request_presets_list": ("response_presets_list", ()),
    "load_preset": ("response_load_preset", ("name",)),
    FILES: ("FILESYSTEM_LIST_RESPONSE", ("path",)),
    "request_drives": ("FILESYSTEM_LIST_RESPONSE", ("path",)),
    "request_directory_list": ("FILESYSTEM_LIST_RESPONSE", ("path",)),
    "request_variables": ("response_variables", ()),
    "request_connection_history": ("CONNECTION_DATA_RESPONSE", ("job_id", "connection_id")),
}


def _echo(payload: dict[str, Any], *members: str) -> dict[str, Any]:
    given = {name: payload.get(name) for name in (*members, "request_id")}
    return {name: value for name, value in given.items() if isinstance(value, str) and len(value) <= 4096}
