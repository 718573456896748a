"""Routing and reachability."""

from __future__ import annotations

import itertools
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core_engine.kernel.component import Config, StepPolicy
from core_engine.workflow.graph import Graph, find_cycles
from core_engine.workflow.parse import parse_workflow
from shared.contract.run import RunMode
from tests.core_engine.workflow.workshop import Registry, workflow

FAN = workflow(
    "s>a",
    "s:success>b",
    "s:output>c",
    "s:error>d",
    "s:failure>e",
    s="add",
    a="add",
    b="add",
    c="add",
    d="add",
    e="add",
)
FORK = workflow("s>a", "s:yes>b", "s:no>c", "s:maybe>d", s="branch", a="add", b="add", c="add", d="add")


def parsed(data: dict) -> Graph:
    return parse_workflow(data, Registry())


def targets(graph: Graph, *ports: str) -> str:
    return "".join(graph.nodes[graph.edges[edge].target].id for edge in graph.route(0, ports))


@pytest.mark.parametrize(
    ("ports", "reached"),
    [
        (["success"], "abc"), (["result"], "abc"), (["error"], "d"), (["failure"], "e"), (["other"], ""), ([], ""),
        (["success", "error"], "abd"), (["output", "other"], "c"),
    ],
)  # fmt: skip
def test_one_usual_port_opens_every_good_edge_and_others_exactly_theirs(ports: list[str], reached: str):
    assert targets(parsed(FAN), *ports) == reached


@pytest.mark.parametrize(
    ("ports", "reached"), [(["yes"], "ab"), (["no"], "c"), (["yes", "maybe"], "abd"), (["no", "maybe"], "cd")]
)
def test_named_ports_and_edges_without_a_name(ports: list[str], reached: str):
    assert targets(parsed(FORK), *ports) == reached


def test_a_raised_error_takes_error_and_failure_edges():
    graph = parsed(FAN)
    assert [graph.edges[edge].id for edge in graph.error_route(0)] == ["s:error>d", "s:failure>e"]


def test_nodes_are_found_by_id_before_name():
    data = workflow(a={"module_id": "add", "name": "b"}, b={"module_id": "add", "name": "Second"})
    graph = parsed(data)
    assert [graph.find(key) for key in ("a", "b", "Second", "nobody")] == [0, 1, 1, None]
    assert graph.nodes[1].label == "Second"


def test_short_pure_steps_run_ahead_and_effects_only_in_a_simulation():
    graph = parsed(
        workflow(a="add", b="effect", c="gate", d="blocker", e={"module_id": "gate", "disabled": True})
    )
    assert [node.runs_ahead(RunMode.EXECUTE) for node in graph.nodes] == [True, False, False, False, True]
    assert [node.runs_ahead(RunMode.SIMULATE) for node in graph.nodes] == [True, True, False, False, True]
    assert graph.nodes[1].policy(RunMode.EXECUTE) is StepPolicy.ONCE


def test_the_policy_may_depend_on_the_settings_and_is_the_general_one_while_they_are_open():
    class Call(type(Registry()["effect"])):  # type: ignore[misc]
        id = "call"

        class Model(Config):
            method: Literal["GET", "POST"] = "POST"
            url: str = ""

        config_model = Model

        def policy_for(self, config: Model) -> StepPolicy:
            return StepPolicy.REPEATABLE if config.method == "GET" else StepPolicy.ONCE

    def call(**values: str) -> dict:
        return {"module_id": "call", "config_values": values}

    data = workflow(
        a=call(method="GET"),
        b=call(),
        c=call(method="GET", url="{{ data.u }}"),
        d=call(method="{{ data.m }}"),
    )
    nodes = parse_workflow(data, Registry([Call()])).nodes
    assert [node.policy(RunMode.EXECUTE).value for node in nodes] == [
        "repeatable",
        "once",
        "repeatable",
        "once",
    ]
    assert [node.runs_ahead(RunMode.EXECUTE) for node in nodes] == [True, False, True, False]


@given(
    st.integers(1, 7).flatmap(
        lambda n: st.tuples(
            st.just(n), st.lists(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)), max_size=14)
        )
    )
)
def test_cycles_are_found_exactly_when_there_is_no_order(case: tuple[int, list[tuple[int, int]]]):
    count, pairs = case
    successors: list[list[int]] = [[] for _ in range(count)]
    for source, target in pairs:
        successors[source].append(target)
    cycles = find_cycles(successors)
    orders = any(
        all(order.index(a) < order.index(b) for a, b in pairs) for order in itertools.permutations(range(count))
    ) if count <= 5 else not cycles  # fmt: skip
    assert (not cycles) == orders
    for cycle in cycles:
        for one, other in itertools.pairwise([*cycle, cycle[0]]):
            assert other in successors[one]
    flat = [node for cycle in cycles for node in cycle]
    assert len(flat) == len(set(flat))
