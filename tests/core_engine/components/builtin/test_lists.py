"""The components that filter, merge, sort, join and split lists."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from core_engine.components.builtin.sort.component import SortKey, _sorted
from core_engine.kernel.payload import Input, Payload
from shared.errors import ErrorCode, FloworkError

PEOPLE = [
    {"id": 1, "name": "Ayu", "city": {"name": "Bandung"}},
    {"id": 2, "name": "budi"},
    {"id": 3, "name": None},
]


async def records(run, component: str, config, data=None, name: str = "records"):
    return (await run(component, config, data)).outputs["success"].data[name]


async def test_filter_sorts_items_into_two_ports(run) -> None:
    config = {"conditions": json.dumps([{"field": "city.name", "operator": "==", "value": "Bandung"}])}
    result = await run("filter", config, Payload({"records": PEOPLE, "x": 1}, ["h"]))
    assert result.outputs["kept"] == Payload({"records": PEOPLE[:1], "x": 1, "count": 1}, ["h"])
    assert result.outputs["rejected"].data == {"records": PEOPLE[1:], "x": 1, "count": 2}


@pytest.mark.parametrize(
    ("items", "match", "ports"),
    [
        ([], "all", ["kept"]), ([5], "all", ["rejected"]), ([20], "all", ["kept"]), ([5, 20], "any", ["kept"]),
        ([5, 20, None, "x"], "any", ["kept", "rejected"]),
    ],
)  # fmt: skip
async def test_filter_judges_items_that_are_no_objects(run, items, match: str, ports) -> None:
    conditions = [{"operator": ">", "value": 10}, {"operator": "is number"}]
    assert list((await run("filter", {"conditions": conditions, "match": match}, items)).outputs) == ports


async def test_a_missing_field_counts_as_none(run) -> None:
    config = {"conditions": [{"field": "city", "operator": "is empty"}]}
    assert (await run("filter", config, PEOPLE)).outputs["kept"].data["count"] == 2


@pytest.mark.parametrize("component", ["filter", "sort", "split_batch", "csv_write"])
@pytest.mark.parametrize("data", [{}, "text", 5, {"records": "no list"}])
async def test_without_a_list_the_step_fails(run, component: str, data) -> None:
    config = {"conditions": [{"operator": "is empty"}]} if component == "filter" else {}
    with pytest.raises(FloworkError, match="There is no list"):
        await run(component, config, data)


def inputs(*parts) -> tuple[Input, ...]:
    return tuple(Input(f"e{n}", f"n{n}", "success", "input", Payload(part)) for n, part in enumerate(parts))


LEFT = [{"id": 1, "a": {"x": 1}}, {"id": 2, "a": {"x": 2}}]
RIGHT = {"records": [{"id": 2, "a": {"y": 3}}, {"id": 4}], "note": "é"}


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"mode": "append"}, [*LEFT, *RIGHT["records"]]),
        (
            {"mode": "combine_by_key", "key": "id", "deep": True},
            [LEFT[0], {"id": 2, "a": {"x": 2, "y": 3}}, {"id": 4}],
        ),
        ({"mode": "combine_by_key", "key": "id", "keep_unmatched": False}, [{"id": 2, "a": {"y": 3}}]),
        ({"mode": "combine_by_position"}, [{"id": 2, "a": {"y": 3}}, {"id": 4, "a": {"x": 2}}]),
    ],
)
async def test_merge_combines_lists(run, config, expected) -> None:
    data = (await run("merge", config, {}, inputs=inputs(LEFT, RIGHT))).outputs["success"].data
    assert data == {**RIGHT, "records": expected, "count": len(expected)}


async def test_merge_by_position_goes_to_the_longest_or_the_shortest(run) -> None:
    parts = inputs([{"a": 1}], [{"b": 1}, {"b": 2}], [])
    for keep, expected in ((True, [{"a": 1, "b": 1}, {"b": 2}]), (False, [])):
        result = await run("merge", {"mode": "combine_by_position", "keep_unmatched": keep}, {}, inputs=parts)
        assert result.outputs["success"].data["records"] == expected


async def test_merge_makes_one_object_or_chooses(run) -> None:
    parts = inputs({"a": {"x": 1}, "b": 1}, {"a": {"y": 2}})
    for deep, a in ((True, {"x": 1, "y": 2}), (False, {"y": 2})):
        result = await run("merge", {"mode": "merge_objects", "deep": deep}, {}, inputs=parts)
        assert result.outputs["success"].data == {"a": a, "b": 1}
    assert parts[0].payload.data == {"a": {"x": 1}, "b": 1}
    chosen = await run("merge", {"mode": "choose_first"}, {}, inputs=inputs({}, [], [0], "x"))
    assert chosen.outputs["success"].data == [0]
    alone = await run("merge", {"mode": "choose_first"}, {"only": 1}, inputs=())
    assert alone.outputs["success"].data == {"only": 1}


@pytest.mark.parametrize(
    ("config", "parts", "hint"),
    [
        ({"mode": "combine_by_key"}, (LEFT, LEFT), "needs a key"),
        ({"mode": "combine_by_key", "key": "id"}, (LEFT, [{"x": 1}]), "no id"),
        ({"mode": "combine_by_position"}, (LEFT, [1]), "Only objects"),
        ({"mode": "merge_objects"}, ({}, [1]), "not an object"),
        ({"list_at": "orders"}, ({"orders": []}, {}), "no orders"),
    ],
)
async def test_merge_says_what_does_not_fit(run, config, parts, hint: str) -> None:
    with pytest.raises(FloworkError, match=hint):
        await run("merge", config, {}, inputs=inputs(*parts))


ROWS = [{"c": "b", "n": "10"}, {"c": "B", "n": 9}, {"c": "a"}, {"c": None, "n": 1}, {"c": "é", "n": "x"}]


@pytest.mark.parametrize(
    ("by", "order"),
    [
        ([{"field": "c"}], [2, 1, 0, 4, 3]),
        ([{"field": "c", "order": "desc"}], [4, 0, 1, 2, 3]),
        ([{"field": "n", "type": "number"}], [3, 1, 0, 2, 4]),
        ([{"field": "n", "type": "number", "order": "desc"}], [0, 1, 3, 2, 4]),
        ([{"field": "n"}], [3, 1, 0, 4, 2]),
        ([{"field": "c", "match_case": True}], [1, 2, 0, 4, 3]),
    ],
)
async def test_sort_by_type_with_nothing_last(run, by, order: list[int]) -> None:
    assert await records(run, "sort", {"by": by}, ROWS) == [ROWS[number] for number in order]


async def test_sort_by_several_keys_and_dates(run) -> None:
    rows = [
        {"d": "2026-03-01T00:00:00+07:00", "k": 1},
        {"d": "2026-02-28T18:00:00Z", "k": 1},
        {"d": "?", "k": 0},
    ]
    by = [{"field": "k"}, {"field": "d", "type": "date"}]
    assert await records(run, "sort", {"by": by}, rows) == [rows[2], rows[0], rows[1]]
    assert await records(run, "sort", {}, [3, 1, 2]) == [1, 2, 3]
    assert await records(run, "sort", {}, []) == []


@given(st.lists(st.tuples(st.one_of(st.none(), st.integers(-3, 3), st.text(max_size=2)), st.integers())))
def test_sorting_loses_nothing_and_keeps_the_order_of_equals(pairs) -> None:
    rows = [{"k": key, "n": number} for number, (key, _) in enumerate(pairs)]
    done = _sorted(rows, SortKey(field="k"))
    assert sorted(row["n"] for row in done) == list(range(len(rows)))
    for one, other in pairwise(done):
        if one["k"] == other["k"] and type(one["k"]) is type(other["k"]):
            assert one["n"] < other["n"]


ORDERS = [{"no": 7, "who": 1}, {"no": 8, "who": 9}, {"no": 9, "who": None}, {"no": 10, "who": 1.0}]
WHO = [{"id": 1, "no": "x"}, {"id": 1, "no": "y"}, {"id": 5, "no": "z"}]


@pytest.mark.parametrize(
    ("kind", "numbers"),
    [
        ("inner", [7, 7, 10, 10]), ("left", [7, 7, 8, 9, 10, 10]), ("right", [7, 7, 10, 10, "z"]),
        ("full", [7, 7, 8, 9, 10, 10, "z"]),
    ],
)  # fmt: skip
async def test_join_keeps_what_its_kind_says(run, kind: str, numbers) -> None:
    config = {"left": ORDERS, "right": WHO, "left_key": "who", "right_key": "id", "kind": kind}
    assert [row["no"] for row in await records(run, "join_lists", config)] == numbers


async def test_join_can_name_the_second_lists_members_apart(run) -> None:
    config = {
        "left": ORDERS[:1],
        "right": WHO[:1],
        "left_key": "who",
        "right_key": "id",
        "right_prefix": "of_",
    }
    assert await records(run, "join_lists", config) == [{"no": 7, "who": 1, "of_id": 1, "of_no": "x"}]


async def test_join_refuses_what_it_cannot_do(run) -> None:
    config = {"left": [1], "right": [], "left_key": "a"}
    with pytest.raises(FloworkError, match="Item 1 of the list is not an object"):
        await run("join_lists", config)
    with pytest.raises(FloworkError, match="same number"):
        await run("join_lists", {"left": [], "right": [], "left_key": "a", "right_key": "b,c"})
    many = [{"k": 1}] * 1500
    with pytest.raises(FloworkError) as caught:
        await run("join_lists", {"left": many, "right": many, "left_key": "k"})
    assert caught.value.code is ErrorCode.TOO_LARGE


async def test_lists_are_split_into_batches(run) -> None:
    data = (await run("split_batch", {"size": 2}, [1, 2, 3])).outputs["success"].data
    assert data == {"batches": [[1, 2], [3]], "batch_count": 2, "count": 3}
    assert await records(run, "split_batch", {"size": 2}, [], "batches") == []


async def test_a_hundred_thousand_items_are_no_trouble(run) -> None:
    items = [{"id": number, "k": number % 7} for number in range(100_000)]
    kept = await run("filter", {"conditions": [{"field": "k", "operator": "==", "value": 3}]}, items)
    assert kept.outputs["kept"].data["count"] == 14286
    assert (await records(run, "sort", {"by": [{"field": "id", "order": "desc"}]}, items))[0]["id"] == 99_999
    joined = await records(run, "join_lists", {"left": items, "right": items, "left_key": "id"})
    assert len(joined) == 100_000
    assert len(await records(run, "split_batch", {"size": 1000}, items, "batches")) == 100


@pytest.mark.parametrize(
    ("component", "wrong", "field"),
    [
        ("filter", {}, "conditions"), ("filter", {"conditions": []}, "conditions"),
        ("filter", {"conditions": [{"operator": "~"}]}, "conditions"), ("merge", {"mode": "zip"}, "mode"),
        ("sort", {"by": []}, "by"), ("sort", {"by": "["}, "by"), ("join_lists", {"left": [], "right": []}, "left_key"),
        ("join_lists", {"left": [], "right": [], "left_key": "a", "kind": "outer"}, "kind"),
        ("split_batch", {"size": 0}, "size"),
    ],
)  # fmt: skip
def test_wrong_settings_name_their_field(registry, component: str, wrong, field: str) -> None:
    with pytest.raises(ValidationError) as caught:
        registry.find(component).parse_config(wrong)
    assert caught.value.errors()[0]["loc"][0] == field
