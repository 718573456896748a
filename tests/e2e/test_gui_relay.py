"""A page of the stock kind runs workflows through gateway and engine; nothing of it reaches anybody else."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from shared.contract import relay
from shared.contract.base import Outgoing
from shared.ids import new_id
from shared.signing.envelope import seal
from shared.signing.keys import WalletKey
from tests.support.page import Page
from tests.support.platform import Platform, running_platform

SHAPES: dict[str, type[Outgoing]] = {
    "WORKFLOW_EXECUTION_UPDATE": relay.RelayRunStatus,
    "NODE_METRIC_UPDATE": relay.RelayNodeMetric,
    "CONNECTION_UPDATE": relay.RelayConnection,
    "WORKFLOW_LOG_ENTRY": relay.RelayLog,
    "SHOW_DEBUG_POPUP": relay.RelayPopup,
}
WORKFLOW = {
    "nodes": [
        {
            "id": "seed",
            "module_id": "static_data_provider_module",
            "config_values": {"variables_to_set": [{"name": "city", "value": "Bandung"}]},
        },
        {"id": "work", "module_id": "delay", "config_values": {"seconds": 0.05}},
        {"id": "show", "module_id": "debug_popup_module", "config_values": {"popup_title": "Result"}},
    ],
    "connections": [
        {"id": "e1", "source": "seed", "target": "work"},
        {"id": "e2", "source": "work", "target": "show"},
    ],
}


def waiting(seconds: float) -> dict[str, Any]:
    """A workflow that takes its time, with two steps."""
    nodes = [
        {"id": name, "module_id": "delay", "config_values": {"seconds": seconds}} for name in ("one", "two")
    ]
    return {"nodes": nodes, "connections": [{"id": "e1", "source": "one", "target": "two"}]}


def start(page: Page, workflow: dict[str, Any], **fields: Any) -> str:
    """Start a run as the stock client does and return its id."""
    job_id = new_id()
    page.send(
        "execute_workflow",
        job_id=job_id,
        preset_name="unsaved-workflow",
        workflow_data=workflow,
        start_node_id=None,
        mode="EXECUTE",
        **fields,
    )
    return job_id


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with running_platform(tmp_path_factory.mktemp("relay")) as running:
        yield running


def test_a_run_shows_all_its_events_in_order(platform: Platform) -> None:
    with Page(platform.gateway_url, platform.owner) as page:
        job_id = start(page, WORKFLOW)
        page.finish(job_id)
    told = [(name, data) for name, data in page.told if name in SHAPES]
    for name, data in told:
        SHAPES[name].model_validate(data)
        assert data["job_id"] == job_id
        assert "payload" not in data
    assert [data["seq"] for _, data in told] == list(range(1, len(told) + 1)), "no gap, no repeat"
    assert [_brief(name, data) for name, data in told if name != "WORKFLOW_LOG_ENTRY"] == [
        "RUNNING",
        ("seed", "RUNNING"),
        ("seed", "SUCCESS"),
        "e1",
        ("work", "RUNNING"),
        ("work", "SUCCESS"),
        "e2",
        ("show", "RUNNING"),
        "Result",
        ("show", "SUCCESS"),
        "SUCCEEDED",
    ]
    popup = next(data for name, data in told if name == "SHOW_DEBUG_POPUP")
    assert "Bandung" in json.dumps(popup["content"])
    last_log = [data for name, data in told if name == "WORKFLOW_LOG_ENTRY"][-1]
    assert (last_log["source"], last_log["message"]) == ("Executor", "Workflow finished: SUCCEEDED")
    assert last_log["workflow_context_id"] == job_id


def _brief(name: str, data: dict[str, Any]) -> Any:
    match name:
        case "WORKFLOW_EXECUTION_UPDATE":
            return data["status_data"]["status"]
        case "NODE_METRIC_UPDATE":
            return data["metric"]["node_id"], data["metric"]["status"]
        case "CONNECTION_UPDATE":
            return data["connection_id"]
        case _:
            return data["title"]


def test_a_page_that_reconnects_in_a_run_misses_nothing(platform: Platform) -> None:
    with Page(platform.gateway_url, platform.owner) as page:
        job_id = start(page, waiting(0.4))
        page.next("NODE_METRIC_UPDATE")
        page.send("reconnect")
        page.next("connect")
        assert page.finish(job_id)["status_data"]["status"] == "SUCCEEDED"
    seqs = {data["seq"] for name, data in page.told if name in SHAPES}
    assert seqs == set(range(1, max(seqs) + 1))


def test_a_run_goes_on_and_is_shown_to_its_end_after_the_engine_was_killed(tmp_path: Path) -> None:
    with running_platform(tmp_path) as platform, Page(platform.gateway_url, platform.owner) as page:
        job_id = start(page, waiting(0.5))
        page.next("NODE_METRIC_UPDATE", lambda data: data["metric"]["node_id"] == "two")
        platform.services[-1].kill()
        platform.start_engine()
        platform.wait_online()
        assert page.finish(job_id)["status_data"]["status"] == "SUCCEEDED"


def test_stop_and_pause_steer_the_run(platform: Platform) -> None:
    with Page(platform.gateway_url, platform.owner) as page:
        job_id = start(page, waiting(30))
        page.next("NODE_METRIC_UPDATE")
        page.send("pause_workflow", job_id=job_id)
        page.next("WORKFLOW_EXECUTION_UPDATE", lambda data: data["status_data"]["status"] == "PAUSED")
        page.send("resume_workflow", job_id=job_id)
        page.next("WORKFLOW_EXECUTION_UPDATE", lambda data: data["status_data"]["status"] == "RUNNING")
        page.send("stop_workflow", job_id=job_id)
        assert page.finish(job_id)["status_data"]["status"] == "STOPPED"


def test_a_refused_start_ends_and_names_the_reason(platform: Platform) -> None:
    with Page(platform.gateway_url, platform.owner) as page:
        job_id = start(page, {"nodes": [{"id": "a", "module_id": "no_such_module"}], "connections": []})
        status = page.finish(job_id)["status_data"]
        assert status["status"] == "FAILED"
        assert page.next("error")["message"] == status["error_message"]


def test_two_users_of_two_engines_never_see_each_others_events(platform: Platform, tmp_path: Path) -> None:
    second = Platform(tmp_path, gateway_port=platform.gateway_port, secret=platform.secret)
    try:
        second.register_engine()
        second.start_engine()
        second.wait_online()
        with (
            Page(platform.gateway_url, platform.owner) as one,
            Page(platform.gateway_url, second.owner) as two,
        ):
            # The second names the first one's engine; it gets its own.
            jobs = [start(one, WORKFLOW), start(two, WORKFLOW, target=platform.engine_id)]
            for page, job_id in zip((one, two), jobs, strict=True):
                page.finish(job_id)
                assert {data["job_id"] for name, data in page.told if name in SHAPES} == {job_id}
            for page, job_id in zip((one, two), jobs, strict=True):
                page.send("list_runs")
                assert job_id in {run["job_id"] for run in page.next("runs_list_response")["runs"]}
    finally:
        second.close()


def test_a_stranger_is_answered_and_gets_nothing(platform: Platform) -> None:
    stranger = WalletKey.create()[0]
    with Page(platform.gateway_url, platform.owner) as owner, Page(platform.gateway_url, stranger) as page:
        owners = start(owner, WORKFLOW)
        for target in ("local-engine-default", platform.engine_id):
            job_id = start(page, WORKFLOW, target=target)
            status = page.finish(job_id)["status_data"]
            assert status["error_message"] == f"Engine {target} is not connected to the Gateway."
        page.send("request_presets_list", target=platform.engine_id)
        assert "is not connected" in page.next("response_presets_list")["error"]
        page.send("stop_workflow", job_id=owners)
        page.next("error")
        owner.finish(owners)
        assert owners not in {
            data.get("job_id") for _, data in page.told if isinstance(data, dict) and "seq" in data
        }


def test_without_an_engine_everything_is_answered(tmp_path: Path) -> None:
    platform = Platform(tmp_path)
    try:
        platform.start_gateway()
        with Page(platform.gateway_url, platform.owner) as page:
            text = "Engine local-engine-default is not connected to the Gateway."
            for event, fields, answer, told in [
                ("request_presets_list", {}, "response_presets_list", {"error": text}),
                ("load_preset", {"name": "a"}, "response_load_preset", {"name": "a", "error": text}),
                (
                    "request_components_list",
                    {"component_type": "tools"},
                    "response_component_list",
                    {"component_type": "tools", "components": [], "error": text},
                ),
                (
                    "filesystem_list_request",
                    {"path": ""},
                    "FILESYSTEM_LIST_RESPONSE",
                    {"path": "", "error": text},
                ),
                ("request_variables", {}, "response_variables", {"error": text}),
                ("request_settings", {}, "settings_response", {"error": text}),
            ]:
                page.send(event, **fields)
                assert page.next(answer) == told
            page.send("install_component", component_type="modules", component_id="x")
            assert page.next("component_install_status")["success"] is False
            for event in (
                "save_preset",
                "delete_preset",
                "update_variable",
                "stop_workflow",
                "pause_workflow",
            ):
                page.send(event, job_id="job-1")
                assert page.next("error") == {
                    "type": "error", "code": "ENGINE_UNAVAILABLE", "message": text, "job_id": "job-1",
                }  # fmt: skip
            for event in ("execute_workflow", "execute_standalone_node"):
                page.send(event, job_id="job-2", workflow_data={"nodes": [], "connections": []})
                assert page.finish("job-2")["status_data"] == {"status": "FAILED", "error_message": text}
                page.next("error")
    finally:
        platform.close()


def test_an_engine_that_wants_bound_signatures_refuses_the_page_but_not_sealed_messages(
    tmp_path: Path,
) -> None:
    with (
        running_platform(tmp_path, ENGINE_ENVELOPE="bound") as platform,
        Page(platform.gateway_url, platform.owner) as page,
    ):

        def send_sealed(kind: str, key: WalletKey = platform.owner, event: str = "", **fields: Any) -> str:
            now_ms = time.time_ns() // 1_000_000
            text = seal(key, platform.engine_id, {"type": kind, **fields}, now_ms=now_ms)
            page.send(event or kind, envelope=text)
            return text

        refused = start(page, WORKFLOW)
        assert "ENGINE_ENVELOPE=bound" in page.finish(refused)["status_data"]["error_message"]
        assert page.next("error")["code"] == "UNAUTHENTICATED"
        accepted = new_id()
        text = send_sealed("execute_workflow", job_id=accepted, workflow_data=WORKFLOW, request_id="r-1")
        assert page.finish(accepted)["status_data"]["status"] == "SUCCEEDED"
        page.send("execute_workflow", envelope=text)
        assert page.next("error")["code"] == "REPLAYED"
        send_sealed("list_runs", event="get_run")
        assert page.next("error")["code"] == "INVALID_REQUEST"
        send_sealed("list_runs", key=WalletKey.create()[0])
        assert page.next("error")["code"] == "FORBIDDEN"
        send_sealed("list_runs", request_id="r-2")
        listed = page.next("runs_list_response")
        assert listed["request_id"] == "r-2"
        assert [run["job_id"] for run in listed["runs"]] == [accepted]
