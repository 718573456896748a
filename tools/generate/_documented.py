"""What the published protocol names: commands, events, their fields, and REST operations."""

from __future__ import annotations

COMMANDS = frozenset(
    {
        "execute_workflow", "stop_workflow", "pause_workflow", "resume_workflow", "request_components_list",
        "request_presets_list", "load_preset", "save_preset", "delete_preset", "request_settings", "save_settings",
        "request_variables", "update_variable", "delete_variable", "request_drives", "request_directory_list",
        "request_connection_history", "execute_standalone_node", "install_component", "uninstall_component",
    }
)  # fmt: skip
EVENTS = frozenset(
    {
        "engine_status_update", "drives_list_response", "directory_list_response", "components_list_response",
        "presets_list_response", "load_preset_response", "settings_response", "variables_response",
        "connection_history_response", "log", "workflow_status_update", "NODE_EXECUTION_METRIC",
        "CONNECTION_STATUS_UPDATE", "component_install_status", "SHOW_DEBUG_POPUP", "MANUAL_APPROVAL_REQUESTED",
    }
)  # fmt: skip

# Method and path of what documented clients call below /api/v1, with parameters as {}.
OPERATIONS = frozenset(
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

FIELDS: dict[str, frozenset[str]] = {
    name: frozenset(fields.split())
    for name, fields in {
        "execute_workflow": "job_id workflow_data initial_payload preset_name mode start_node_id",
        "execute_standalone_node": "job_id node_data initial_payload mode",
        "stop_workflow": "job_id",
        "pause_workflow": "job_id",
        "resume_workflow": "job_id",
        "request_components_list": "component_type",
        "load_preset": "name owner_id",
        "save_preset": "name workflow_data signature",
        "delete_preset": "name",
        "save_settings": "settings",
        "update_variable": "name data",
        "delete_variable": "name",
        "request_directory_list": "path",
        "request_connection_history": "job_id connection_id",
        "install_component": "component_type component_id",
        "uninstall_component": "component_type component_id",
        "engine_status_update": "engineId isBusy cpuPercent memoryPercent",
        "drives_list_response": "drives",
        "directory_list_response": "path items",
        "components_list_response": "component_type components",
        "presets_list_response": "presets",
        "load_preset_response": "name workflow_data",
        "settings_response": "settings",
        "variables_response": "variables",
        "connection_history_response": "job_id connection_id history",
        "log": "level source message timestamp",
        "workflow_status_update": "job_id status_data",
        "NODE_EXECUTION_METRIC": "node_id status timestamp",
        "CONNECTION_STATUS_UPDATE": "connection_id status",
        "SHOW_DEBUG_POPUP": "title content",
        "MANUAL_APPROVAL_REQUESTED": "module_id message",
        "component_install_status": "component_type component_id success message",
    }.items()
}
"""The fields that the published protocol gives to its messages."""
