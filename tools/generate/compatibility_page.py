"""docs/compatibility.md: what of the published protocol is answered, what is ours beside it, and where it is tried."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from shared.contract import catalog
from shared.contract.base import Command, Event, Operation

FILENAME = "docs/compatibility.md"

_TESTS = Path(__file__).resolve().parents[2] / "tests" / "core_engine" / "commands"
_DOCUMENTED_COMMANDS = frozenset(
    {
        "execute_workflow", "stop_workflow", "pause_workflow", "resume_workflow", "request_components_list",
        "request_presets_list", "load_preset", "save_preset", "delete_preset", "request_settings", "save_settings",
        "request_variables", "update_variable", "delete_variable", "request_drives", "request_directory_list",
        "request_connection_history", "execute_standalone_node", "install_component", "uninstall_component",
    }
)  # fmt: skip
_DOCUMENTED_EVENTS = frozenset(
    {
        "engine_status_update", "drives_list_response", "directory_list_response", "components_list_response",
        "presets_list_response", "load_preset_response", "settings_response", "variables_response",
        "connection_history_response", "log", "workflow_status_update", "NODE_EXECUTION_METRIC",
        "CONNECTION_STATUS_UPDATE", "component_install_status", "SHOW_DEBUG_POPUP", "MANUAL_APPROVAL_REQUESTED",
    }
)  # fmt: skip

# Method and path of what documented clients call below /api/v1, with parameters as {}.
_DOCUMENTED_OPERATIONS = frozenset(
    """
    GET /auth/profile|POST /auth/logout|POST /auth/register|POST /auth/login
    GET /user/engines|POST /user/engines|DELETE /user/engines/{}|POST /user/engines/{}/reset-token
    PUT /user/engines/{}/update-name|GET /user/shared-engines|GET /engines/{}/shares|POST /engines/{}/shares
    DELETE /engines/{}/shares/{}|GET /user/engines/{}/shares|POST /user/engines/{}/share
    DELETE /user/engines/{}/shares/{}|POST /user/engines/{}/shares/delete|POST /user/engines/select-for-auth
    GET /user/preferences|PATCH /user/preferences|PUT /user/profile|PATCH /user/profile|GET /user/public/{}
    GET /user/state/favorite_presets|PUT /user/state/favorite_presets
    GET /user/state/favorite_components|PUT /user/state/favorite_components
    GET /user/state/active_widgets|PUT /user/state/active_widgets
    GET /workflows/{}/shares|POST /workflows/{}/shares|PUT /workflow-shares/{}|DELETE /workflow-shares/{}
    GET /workflow-shares/resolve/{}|GET /dashboard/summary
    GET /modules|GET /plugins|GET /tools|GET /triggers|GET /widgets|GET /components/{}/{}/icon
    GET /presets|POST /presets|GET /presets/{}|DELETE /presets/{}|GET /presets/{}/exists|GET /presets/{}/versions
    GET /presets/{}/versions/{}|GET /variables|GET /variables/{}|PUT /variables/{}|DELETE /variables/{}
    PATCH /variables/{}/state|GET /settings|PATCH /settings|GET /localization/{}|GET /news|GET /proxy/{}|POST /proxy/{}
    GET /system/health|GET /system/disabled-components|POST /system/clear-cache
    GET /engine/get-engine-auth-info|GET /engine/claim-token
    GET /marketplace/list|POST /marketplace/publish|GET /marketplace/items/{}|POST /marketplace/vote
    POST /marketplace/delete|POST /marketplace/component/install
    """.strip()
    .replace("\n", "|")
    .replace("    ", "")
    .split("|")
)

_HEAD = """# Compatibility

Generated from the contract. *Documented* names belong to the published protocol and keep its fields; *ours* are
additions beside it. Every command is tried over a real socket by the tests named (in `tests/core_engine/commands`);
the relay maps all of them by the same declarations (`tests/e2e/test_gui_relay.py`, `tests/core_engine/gateway_link`).

## Commands (raw socket and relay)

| type | | role | answer | tests |
|---|---|---|---|---|
"""
_EVENTS = """
## Events

| raw socket | | relay | who receives it |
|---|---|---|---|
"""
_REST = """
## REST (below `/api/v1`, tried in `tests/gateway/resources`)

| method, path | | proof | what it does |
|---|---|---|---|
"""
_NOT_YET = """
## Documented but not answered

Refused with a clear answer, on purpose:

- `POST /auth/register` and `POST /auth/login`: an identity is a wallet key (501).
- `POST /marketplace/component/install`: components are installed by the commands `install_component` and
  `uninstall_component`, which carry the owner's signature.
- `POST /proxy/execution/run_module`: the catch-all passes on what engines declare, nothing else (404).

Not there at all:

- Agent sessions, capsules, episodes, cluster peers, training, data sets and local models, licences and password users.
"""


def make() -> str:
    """Return the page; a documented name that the contract lacks is listed at its end."""
    return "".join([_HEAD, *_commands(), _EVENTS, *_events(), _REST, *_operations(), _NOT_YET, *_missing()])


def _commands() -> Iterator[str]:
    sources = {path.name: path.read_text() for path in sorted(_TESTS.glob("test_*.py"))}
    for name, model in catalog.commands().items():
        tests = ", ".join(
            f"`{file}`" for file, text in sources.items() if name in text or model.__name__ in text
        )
        yield f"| `{name}` | {_kind(model)} | {model.role.name.lower()} | `{_reply(model)}` | {tests} |\n"


def _events() -> Iterator[str]:
    for name, model in catalog.events().items():
        yield f"| `{name}` | {_kind(model)} | `{model.relay}` | {model.audience.value} |\n"


def _operations() -> Iterator[str]:
    for item in sorted(catalog.operations().values(), key=lambda item: (item.path, item.method)):
        kind = "documented" if _place(item) in _DOCUMENTED_OPERATIONS else "ours"
        yield f"| `{item.method} {item.path}` | {kind} | {item.auth.value} | {item.summary} |\n"


def _missing() -> Iterator[str]:
    known = catalog.commands().keys() | catalog.events().keys()
    for name in sorted((_DOCUMENTED_COMMANDS | _DOCUMENTED_EVENTS) - known):
        yield f"- `{name}`\n"
    places = {_place(item) for item in catalog.operations().values()}
    for place in sorted(_DOCUMENTED_OPERATIONS - places):
        yield f"- `{place}`\n"


def _place(operation: Operation) -> str:
    return f"{operation.method} {re.sub(r'{[a-z_]+}', '{}', operation.path)}"


def _reply(model: type[Command]) -> str:
    return str(getattr(model.reply, "name", model.reply.__name__))


def _kind(model: type[Command | Event]) -> str:
    return "documented" if model.name in _DOCUMENTED_COMMANDS | _DOCUMENTED_EVENTS else "ours"
