"""Every problem of a workflow is found and placed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core_engine.kernel.component import Port
from core_engine.kernel.ports import Registry as RegistryPort
from core_engine.workflow.parse import check_workflow, parse_workflow, restore_workflow
from shared.errors import ErrorCode, FloworkError
from tests.core_engine.workflow.workshop import Branch, BranchConfig, Registry, chain, workflow


def problems(data: dict[str, Any], registry: RegistryPort | None = None) -> list[dict[str, Any]]:
    return [found.model_dump(exclude_none=True) for found in check_workflow(data, registry or Registry())]


def add(**values: Any) -> dict[str, Any]:
    return {"module_id": "add", "config_values": values}


def test_all_problems_are_listed_at_once():
    data = {
        "nodes": [
            {"id": "a", "module_id": "add", "config_values": {"amount": "many", "label": 5}},
            {"id": "a", "module_id": "add"},
            {"id": "b", "module_id": "nothing"},
            {"id": "", "module_id": "add"},
            {"id": "d", "module_id": "add", "retry": {"attempts": 0}},
            "no object",
        ],
        "connections": [
            {"id": "e1", "source": "a", "target": "gone"},
            {"id": "e1", "source": "a", "target": "b"},
            {"id": "e2", "source": "a", "target": "b", "source_port_name": "left"},
            {"id": "e3", "source": "a", "target": "a", "target_port_name": "right"},
            {"target": "b"},
        ],
    }
    places = [(p.get("node_id"), p.get("connection_id"), p.get("field")) for p in problems(data)]
    assert places == [
        ("a", None, "amount"),
        ("a", None, "label"),
        ("a", None, None),
        ("b", None, None),
        ("nodes[3]", None, "id"),
        ("d", None, "retry.attempts"),
        ("nodes[5]", None, None),
        (None, "e1", None),
        (None, "e1", None),
        ("a", "e2", "source_port_name"),
        ("a", "e3", "target_port_name"),
        (None, "connections[4]", "source"),
        ("a", None, None),
    ]


def test_the_error_carries_the_problems():
    with pytest.raises(FloworkError, match=r"nothing is not installed. \[a\] \(1 more\)") as caught:
        parse_workflow(workflow(a="nothing", b="nowhere"), Registry())
    assert caught.value.code is ErrorCode.INVALID_WORKFLOW
    assert [item["node_id"] for item in caught.value.details] == ["a", "b"]


@pytest.mark.parametrize(
    "data", [{}, {"nodes": []}, {"nodes": "x"}, {"nodes": [], "connections": {}}, {"nodes": None}]
)
def test_an_empty_or_shapeless_workflow_is_a_problem(data: dict[str, Any]):
    assert problems(data)


def test_too_many_nodes_are_refused_before_they_are_looked_at():
    data = {"nodes": [{}] * 10_001}
    assert [p["problem"][:25] for p in problems(data)] == ["A workflow has at most 10"]


def test_the_list_of_problems_is_bounded():
    assert len(problems({"nodes": [{}] * 5_000})) == 1000


def test_cycles_are_named():
    data = workflow("a>b", "b>c", "c>b", "c>d", "x>x", a="add", b="add", c="add", d="add", x="add")
    assert [p["problem"] for p in problems(data)] == [
        "The connections form a cycle: B → C → B.",
        "The connections form a cycle: X → X.",
    ]


def test_many_cycles_are_found_quickly_and_some_are_named():
    names = [f"n{i}" for i in range(4000)]
    edges = [f"{a}>{b}" for a, b in zip(names[::2], names[1::2], strict=True)]
    edges += [f"{b}>{a}" for a, b in zip(names[::2], names[1::2], strict=True)]
    assert len(problems(workflow(*edges, **dict.fromkeys(names, "add")))) == 20


def test_connections_without_an_id_get_a_lasting_one():
    data = workflow(a="add", b="add")
    data["connections"] = [
        {"from": "a", "to": "b"},
        {"from": "a", "to": "b"},
        {"from": "a", "to": "b", "sourceHandle": "error"},
    ]
    one, two = (parse_workflow(data, Registry()) for _ in range(2))
    assert [edge.id for edge in one.edges] == [edge.id for edge in two.edges]
    assert len({edge.id for edge in one.edges}) == 3
    assert one.edges[2].source_port == "error"


@pytest.mark.parametrize("port", ["", "success", "output", "main", "error", "failure", None])
def test_usual_port_names_are_accepted(port: str | None):
    data = workflow("a>b", a="add", b="add")
    data["connections"][0]["source_port_name"] = port
    assert problems(data) == []


def test_a_good_port_name_of_a_component_without_one_is_a_problem():
    data = workflow("a:success>b", a="branch", b="add")
    assert "it has maybe, no, yes" in problems(data)[0]["problem"]


def test_ports_that_depend_on_the_settings():
    class Switch(Branch):
        id = "switch"

        def output_ports(self, config: BranchConfig) -> tuple[Port, ...]:
            return tuple(Port(name, name) for name in config.ports)

    registry = Registry([Switch()])
    known = workflow(
        "s:left>b", "s:right>b", s={"module_id": "switch", "config_values": {"ports": ["left"]}}, b="add"
    )
    assert [p["connection_id"] for p in problems(known, registry)] == ["s:right>b"]
    later = workflow(
        "s:left>b", s={"module_id": "switch", "config_values": {"ports": "{{ data.ports }}"}}, b="add"
    )
    assert problems(later, registry) == []


def test_settings_with_expressions_are_judged_at_run_time_and_others_now():
    data = workflow(a=add(amount="{{ data.n }}", label=7))
    assert [p["field"] for p in problems(data)] == ["label"]
    data = workflow(a=add(amount="{{ data.[ }}"))
    assert [(p["field"], "not valid" in p["problem"]) for p in problems(data)] == [("amount", True)]


def test_raw_fields_are_handed_over_as_written():
    class Template(type(Registry()["add"])):  # type: ignore[misc]
        id = "template"
        raw_fields = frozenset({"label"})

    graph = parse_workflow(
        workflow(a={"module_id": "template", "config_values": {"label": "{{ data. }}"}}),
        Registry([Template()]),
    )
    assert graph.nodes[0].config.label == "{{ data. }}"


def test_a_disabled_node_needs_no_right_settings():
    data = workflow(a={"module_id": "add", "disabled": True, "config_values": {"amount": "many"}})
    assert problems(data) == []


def test_the_hash_depends_on_content_and_not_on_member_order():
    data = chain(2)
    turned = {
        "connections": data["connections"],
        "nodes": [dict(reversed(node.items())) for node in data["nodes"]],
    }
    one, two = parse_workflow(data, Registry()), parse_workflow(turned, Registry())
    assert one.hash == two.hash
    assert len(one.hash) == 64
    assert parse_workflow(chain(3), Registry()).hash != one.hash


def test_a_restored_workflow_keeps_its_numbers_and_marks_what_went_wrong():
    registry = Registry()
    data = workflow("a>b", "b>c", a="add", b="talk", c=add(amount=2))
    del registry.components["talk"]
    graph = restore_workflow(data, registry, "hash")
    assert [node.defect for node in graph.nodes] == [None, "The component talk is not installed. [b]", None]
    assert [(edge.source, edge.target) for edge in graph.edges] == [(0, 1), (1, 2)]
    assert graph.nodes[1].config is None
    assert graph.hash == "hash"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)


MEMBERS = st.sampled_from(["id", "module_id", "source", "target", "config_values", "retry", "join", "from"])
ITEMS = st.lists(st.dictionaries(MEMBERS, JSON, max_size=5), max_size=4)


@given(st.dictionaries(st.sampled_from(["nodes", "connections"]), JSON | ITEMS))
def test_any_json_is_answered_with_problems_and_never_with_a_crash(data: dict[str, Any]):
    found = problems(data)
    if not found:
        assert parse_workflow(data, Registry()).nodes
