"""Which of all shipped components can leave the engine, and which choice of a queue wins."""

from __future__ import annotations

import inspect
from dataclasses import replace

import pytest

from core_engine.kernel.component import Execution
from core_engine.settings import EngineSettings
from core_engine.workers.consumer import open_worker_registry
from core_engine.workers.placement import Place, can_leave, place_of
from core_engine.workflow.graph import Node
from core_engine.workflow.parse import parse_workflow
from shared.clock import SystemClock
from shared.contract.flow_rules import FlowSettings
from tests.core_engine.engine import settings

FLOW = FlowSettings()


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory):
    made: EngineSettings = settings(tmp_path_factory.mktemp("worker"))
    return open_worker_registry(made, SystemClock())[0]


def node(registry, component: str, **members: str) -> Node:
    raw = {
        "id": "n",
        "name": "n",
        "module_id": component,
        "config_values": {"url": "{{ data.url }}"},
        **members,
    }
    return parse_workflow({"nodes": [raw], "connections": []}, registry).nodes[0]


def test_what_uses_the_engine_itself_stays_there(registry) -> None:
    for component in registry._components.values():
        wanted = set(inspect.signature(type(component)).parameters)
        if wanted & {"state", "outlet"} and component.execution is not Execution.INLINE:
            assert component.queue == "engine", component.id


def test_a_worker_has_every_component_that_is_sent_to_it(registry) -> None:
    assert not registry.broken
    assert can_leave(node(registry, "http_request"))


def test_the_nodes_choice_wins_over_the_workflows(registry) -> None:
    plain, heavy = node(registry, "http_request"), node(registry, "http_request", queue="heavy", worker="gpu")
    assert place_of(plain, FLOW) == Place("default", "")
    assert place_of(plain, FlowSettings(queue="heavy", worker="tape")) == Place("heavy", "tape")
    assert place_of(heavy, FlowSettings(queue="default", worker="tape")) == Place("heavy", "gpu")
    assert place_of(plain, FlowSettings(queue="engine")) is None
    assert place_of(node(registry, "http_request", queue="engine"), FLOW) is None


def test_containers_go_to_the_machines_with_docker(registry) -> None:
    raw = {
        "id": "n",
        "name": "n",
        "module_id": "docker_container",
        "config_values": {"image": "{{ data.image }}"},
    }
    found = parse_workflow({"nodes": [raw], "connections": []}, registry).nodes[0]
    assert place_of(found, FlowSettings(queue="heavy")) == Place("docker", "")


@pytest.mark.parametrize("stays", ["if_condition", "sub_workflow", "for_each", "rate_limit", "counter"])
def test_short_and_waiting_steps_stay(registry, stays: str) -> None:
    plain = node(registry, "http_request")
    assert place_of(plain, FLOW)
    other = replace(plain, component=registry.find(stays), queue="heavy")
    assert place_of(other, FLOW) is None
