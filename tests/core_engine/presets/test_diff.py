"""Differences of workflows, also of odd ones."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from core_engine.presets.diff import compare_workflows

BASE: dict[str, Any] = {
    "nodes": [{"id": "a", "x": 1, "config_values": {"list": [1, 2], "t/~": True}}, {"id": "b"}],
    "connections": [{"source": "a", "target": "b", "sourceHandle": "success"}],
    "global_loop_config": {"iterations": 1},
}


def changed(*path: Any, to: Any) -> dict[str, Any]:
    workflow = copy.deepcopy(BASE)
    place: Any = workflow
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = to
    return workflow


def found(before: Any, after: Any) -> list[tuple[Any, ...]]:
    return [
        (it.kind, it.subject, it.id, it.path, it.before, it.after) for it in compare_workflows(before, after)
    ]


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (BASE, []),
        (changed("nodes", 0, "x", to=1.0), []),
        (changed("nodes", 0, "x", to=2), [("changed", "node", "a", "/x", 1, 2)]),
        (
            changed("nodes", 0, "config_values", "t/~", to=1),
            [("changed", "node", "a", "/config_values/t~1~0", True, 1)],
        ),
        (
            changed("nodes", 0, "config_values", "list", to=[1, 3]),
            [("changed", "node", "a", "/config_values/list/1", 2, 3)],
        ),
        (
            changed("nodes", 0, "config_values", "list", to=[]),
            [("changed", "node", "a", "/config_values/list", [1, 2], [])],
        ),
        (changed("nodes", 1, "name", to="B"), [("added", "node", "b", "/name", None, "B")]),
        (
            changed("connections", to=[]),
            [("removed", "connection", "a:success→b:", "", BASE["connections"][0], None)],
        ),
        (
            changed("global_loop_config", "iterations", to=3),
            [("changed", "setting", "global_loop_config", "/iterations", 1, 3)],
        ),
    ],
)
def test_each_change_has_its_place(after: Any, expected: list[tuple[Any, ...]]) -> None:
    assert found(BASE, after) == expected


def test_order_alone_is_no_change() -> None:
    assert found(BASE, changed("nodes", to=BASE["nodes"][::-1])) == []


@pytest.mark.parametrize("nodes", [None, "text", [1], [{"id": 1}], [{"id": "a"}, {"id": "a"}], {"id": "a"}])
def test_nodes_that_cannot_be_told_apart_are_compared_as_a_whole(nodes: Any) -> None:
    changes = compare_workflows(BASE, changed("nodes", to=nodes))
    assert changes
    assert {(change.subject, change.id) for change in changes} == {("setting", "nodes")}
