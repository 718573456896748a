"""Nodes inside loops: a workflow of their own, checked with names that people find again."""

from __future__ import annotations

from typing import Any

import pytest

from core_engine.workflow.parse import check_workflow, parse_workflow
from shared.errors import FloworkError
from tests.core_engine.workflow.household import household
from tests.core_engine.workflow.workshop import workflow

LOOP = {"module_id": "for_each", "config_values": {"items": [1]}}


def problems(data: dict[str, Any]) -> list[tuple[str, str | None]]:
    return [(item.problem, item.node_id or item.connection_id) for item in check_workflow(data, household())]


def test_a_body_is_taken_out_and_kept_with_its_loop() -> None:
    data = workflow(
        "a>l", "x>y", "l>z",
        a="add", l=LOOP, z="add", x={"module_id": "add", "parentId": "l"}, y={"module_id": "add", "parent_id": "l"},
    )  # fmt: skip
    graph = parse_workflow(data, household())
    assert [node.id for node in graph.nodes] == ["a", "l", "z"]
    body = graph.nodes[1].body or {}
    assert [node["id"] for node in body["nodes"]] == ["x", "y"]
    assert not any({"parentId", "parent_id"} & node.keys() for node in body["nodes"])
    assert [connection["id"] for connection in body["connections"]] == ["x>y"]


def test_a_body_inside_a_body_stays_inside() -> None:
    data = workflow(
        "x>y", o=LOOP, i={**LOOP, "parent_id": "o"}, x={"module_id": "add", "parent_id": "i"},
        y={"module_id": "add", "parent_id": "i"},
    )  # fmt: skip
    outer = parse_workflow(data, household()).nodes[0].body or {}
    inner = parse_workflow(outer, household()).nodes[0]
    assert inner.id == "i"
    assert [node["id"] for node in (inner.body or {})["nodes"]] == ["x", "y"]


def test_connections_do_not_cross_the_border() -> None:
    data = workflow("a>x", "x>a", a="add", l=LOOP, x={"module_id": "add", "parent_id": "l"})
    found = problems(data)
    assert [place for _, place in found] == ["a>x", "x>a"]
    assert all("crosses the border" in text for text, _ in found)


def test_unknown_and_circular_parents_are_named() -> None:
    found = problems(workflow(a="add", x={"module_id": "add", "parent_id": "gone"}))
    assert found == [("It stands inside a node that does not exist: gone.", "x")]
    found = problems(workflow(a="add", x={**LOOP, "parent_id": "y"}, y={**LOOP, "parent_id": "x"}))
    assert {place for _, place in found} == {"x", "y"}
    assert problems(workflow(x={**LOOP, "parent_id": "x"}))[0][1] == "x"


def test_only_loops_hold_nodes_and_a_loop_needs_some() -> None:
    assert problems(workflow(a="add", x={"module_id": "add", "parent_id": "a"})) == [
        ("Nodes cannot stand inside Add.", "a")
    ]
    assert "needs nodes inside it" in problems(workflow(l=LOOP))[0][0]
    both = {"module_id": "for_each", "config_values": {"items": [1], "preset_name": "p"}}
    assert "not both" in problems(workflow(l=both, x={"module_id": "add", "parent_id": "l"}))[0][0]


def test_problems_inside_name_the_inner_nodes() -> None:
    inside = {"module_id": "gone", "parent_id": "l"}
    assert problems(workflow(l=LOOP, x=inside)) == [("The component gone is not installed.", "x")]
    cycle = workflow(
        "x>y",
        "y>x",
        l=LOOP,
        x={"module_id": "add", "parent_id": "l"},
        y={"module_id": "add", "parent_id": "l"},
    )
    assert "cycle" in problems(cycle)[0][0]


def test_an_id_is_used_once_inside_and_outside() -> None:
    data = workflow(a="add", l=LOOP, x={"module_id": "add", "parent_id": "l"})
    data["nodes"].append({"id": "a", "module_id": "add", "parent_id": "l"})
    assert ("Another node has the same id.", "a") in problems(data)


def test_nesting_has_a_bound() -> None:
    nodes = {f"n{number}": {**LOOP, "parent_id": f"n{number - 1}"} for number in range(1, 40)}
    found = problems(workflow(n0=LOOP, **nodes))
    assert any("at most 16 deep" in text for text, _ in found)


@pytest.mark.parametrize(
    ("inputs", "field"),
    [
        ({}, "inputs"),
        ([{"type": "string"}], "inputs.0.name"),
        ([{"name": "a", "type": "text"}], "inputs.0.type"),
        ([{"name": "a"}, {"name": "a"}], "inputs.1"),
        ([{"name": "a", "type": "integer", "default": "x"}], "inputs.0.default"),
        (["a"], "inputs.0"),
    ],
)
def test_wrong_input_lists_are_problems(inputs: Any, field: str) -> None:
    found = check_workflow(workflow(a="add") | {"inputs": inputs}, household())
    assert [item.field for item in found] == [field]
    with pytest.raises(FloworkError):
        parse_workflow(workflow(a="add") | {"inputs": inputs}, household())
