"""The components that parse, group, query and write texts."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from core_engine.components.builtin.aggregate.grouping import Grouping, amount, summarise
from core_engine.kernel.payload import Input, Payload
from shared.errors import ErrorCode, FloworkError

PATTERN = r"(?P<level>[A-Z]+) (?:(?P<code>\d+) )?(?P<text>.*)"


async def test_lines_that_fit_and_others_leave_by_their_own_ports(run) -> None:
    lines = ["INFO 7 started", "?", "", "WARN low disk é", "bad\ufffd"]
    result = await run("parse_lines", {"pattern": PATTERN}, Payload({"lines": lines}, ["h"]))
    assert result.outputs["matched"] == Payload(
        {
            "records": [
                {"level": "INFO", "code": "7", "text": "started"},
                {"level": "WARN", "code": None, "text": "low disk é"},
            ],
            "count": 2,
            "total": 5,
        },
        ["h"],
    )
    odd = result.outputs["unmatched"].data
    assert odd["lines"] == [
        {"number": 2, "text": "?"}, {"number": 3, "text": ""}, {"number": 5, "text": "bad\ufffd"},
    ]  # fmt: skip
    assert (odd["count"], odd["total"]) == (3, 5)


@pytest.mark.parametrize(
    ("data", "ports"),
    [
        ({"text": "INFO a\nINFO b\n"}, ["matched"]), ({"lines": []}, ["matched"]), ({"lines": ["x"]}, ["unmatched"]),
        ("INFO a\n", ["matched"]), (["INFO a", "x"], ["matched", "unmatched"]),
    ],
)  # fmt: skip
async def test_a_port_is_active_only_when_it_has_lines(run, data, ports: list[str]) -> None:
    assert list((await run("parse_lines", {"pattern": PATTERN}, data)).outputs) == ports


async def test_lines_may_be_named_and_odd_ones_are_limited(run) -> None:
    config = {"pattern": PATTERN, "lines": ["x" * 900] * 20, "max_unmatched": 3}
    odd = (await run("parse_lines", config)).outputs["unmatched"].data
    assert (len(odd["lines"]), odd["count"], len(odd["lines"][0]["text"])) == (3, 20, 500)


@pytest.mark.parametrize("data", [{"n": 1}, {"lines": [1]}, {"lines": {"a": 1}}, 5])
async def test_without_lines_parsing_fails(run, data) -> None:
    with pytest.raises(FloworkError) as caught:
        await run("parse_lines", {"pattern": PATTERN}, data)
    assert caught.value.code is ErrorCode.COMPONENT_FAILED


@pytest.mark.parametrize(
    "pattern", ["(", "no groups", r"(?P<a>x)(?=y)", r"(?P<a>x)\1", "(?P<a>x{1000}{1000})", ""]
)
def test_patterns_that_cannot_be_used_are_refused_with_the_settings(registry, pattern: str) -> None:
    with pytest.raises(ValidationError):
        registry.find("parse_lines").parse_config({"pattern": pattern})


async def test_an_evil_pattern_takes_no_longer_than_its_text(run) -> None:
    started = time.monotonic()
    await run("parse_lines", {"pattern": r"(?P<a>(a+)+)b"}, {"lines": ["a" * 100_000]})
    assert time.monotonic() - started < 60  # backtracking would take longer than the age of the universe


SALES = [
    {"city": "B", "sum": "40", "ok": "y"},
    {"city": "M", "sum": "15.5", "ok": "n"},
    {"city": "B", "sum": "-", "ok": "y"},
    {"city": "A", "sum": "", "ok": "y"},
    {"city": None, "sum": None, "ok": "y"},
    {"city": "M", "sum": "lots", "ok": "y"},
]


async def test_several_groupings_in_one_step(run) -> None:
    metrics = [{"op": "count", "name": "n"}] + [
        {"op": op, "field": "sum"} for op in ("sum", "avg", "min", "max")
    ]
    groupings = [
        {"name": "cities", "by": ["city"], "metrics": metrics, "sort_by": "sum_sum", "limit": 2},
        {"name": "all", "metrics": metrics},
        {"name": "seen", "by": "city", "order": "seen"},
        {
            "name": "ok",
            "by": ["city"],
            "where": [{"field": "ok", "operator": "==", "value": "y"}],
            "order": "asc",
        },
    ]
    result = await run("aggregate", {"groupings": json.dumps(groupings)}, Payload({"records": SALES}, ["h"]))
    assert result.outputs["success"].history == ["h"]
    data = result.outputs["success"].data
    assert data["groups"]["cities"] == [
        {"city": "B", "n": 2, "sum_sum": 40, "avg_sum": 20.0, "min_sum": 0, "max_sum": 40},
        {"city": "M", "n": 2, "sum_sum": 15.5, "avg_sum": 15.5, "min_sum": 15.5, "max_sum": 15.5},
    ]
    assert data["groups"]["all"] == [{"n": 6, "sum_sum": 55.5, "avg_sum": 11.1, "min_sum": 0, "max_sum": 40}]
    assert [row["city"] for row in data["groups"]["seen"]] == ["B", "M", "A", None]
    assert data["groups"]["ok"] == [
        {"city": None, "count": 1}, {"city": "A", "count": 1}, {"city": "M", "count": 1}, {"city": "B", "count": 2},
    ]  # fmt: skip
    assert data["group_counts"] == {"cities": 4, "all": 1, "seen": 4, "ok": 4}
    assert (data["record_count"], data["not_numeric"]) == (6, {"sum": 2})


async def test_nothing_to_group_still_has_totals(run) -> None:
    config = {"groupings": [{"name": "all"}, {"name": "none", "by": ["x"]}]}
    assert (await run("aggregate", config, {"records": []})).outputs["success"].data["groups"] == {
        "all": [{"count": 0}], "none": [],
    }  # fmt: skip
    assert (await run("aggregate", config, [{"x": 1}])).outputs["success"].data["groups"]["none"] == [
        {"x": 1, "count": 1}
    ]


@pytest.mark.parametrize("data", [{"records": [1]}, {}, "x", {"records": None}])
async def test_without_records_grouping_fails(run, data) -> None:
    with pytest.raises(FloworkError):
        await run("aggregate", {"groupings": [{"name": "all"}]}, data)


@pytest.mark.parametrize(
    "grouping",
    [
        {"name": ""}, {"name": "x", "metrics": [{"op": "sum"}]}, {"name": "x", "metrics": [{"op": "median"}]},
        {"name": "x", "by": ["a", "a"]}, {"name": "x", "by": ["count"]}, {"name": "x", "sort_by": "nothing"},
    ],
)  # fmt: skip
def test_groupings_that_make_no_sense_are_refused_with_the_settings(registry, grouping) -> None:
    with pytest.raises(ValidationError):
        registry.find("aggregate").parse_config({"groupings": [grouping]})


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(-(10**20), 10**20)), max_size=30))
def test_sums_over_groups_add_up_to_the_total(pairs) -> None:
    records = [{"k": key, "v": value} for key, value in pairs]
    metric = [{"op": "sum", "field": "v", "name": "s"}]
    groupings = [Grouping(name="by", by=["k"], metrics=metric), Grouping(name="all", metrics=metric)]
    groups = summarise(groupings, records)["groups"]
    assert sum(row["s"] for row in groups["by"]) == groups["all"][0]["s"] == sum(value for _, value in pairs)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("-", 0),
        ("", 0),
        (" 12 ", 12),
        (None, 0),
        ("1.5", 1.5),
        (True, None),
        ("1k", None),
        ("٣", 3),
        (7, 7),
        (10**30, 10**30),
    ],
)
def test_how_figures_are_read(text, expected) -> None:
    assert amount(text) == expected


async def test_a_query_replaces_or_joins_the_data(run) -> None:
    data = {"people": [{"name": "Ayu", "age": 34}, {"name": "Budi", "age": 28}]}
    query = "people[?age > `30`].name"
    assert (await run("json_query", {"query": query}, data)).outputs["success"].data == ["Ayu"]
    joined = (await run("json_query", {"query": query, "save_as": "old"}, Payload(data, ["h"]))).outputs[
        "success"
    ]
    assert joined == Payload({**data, "old": ["Ayu"]}, ["h"])
    assert (await run("json_query", {"query": "none"}, data)).outputs["success"].data is None


def test_a_wrong_query_is_refused_with_the_settings(registry) -> None:
    with pytest.raises(ValidationError):
        registry.find("json_query").parse_config({"query": "a["})


@pytest.mark.parametrize(
    "query", ["[@,@][]" + "|[@,@][]" * 60, "[@,@]" + "|[@,@]" * 60, "to_string([@,@]" + "|[@,@]" * 40 + ")"]
)
async def test_a_query_that_grows_without_end_fails_alone(run, query: str) -> None:
    with pytest.raises(FloworkError) as caught:
        await run("json_query", {"query": query, "timeout_seconds": 0.5}, [1])
    assert caught.value.code is ErrorCode.COMPONENT_FAILED


async def test_a_query_that_fails_says_why(run) -> None:
    with pytest.raises(FloworkError, match="abs"):
        await run("json_query", {"query": "abs(@)"}, "x")


async def test_a_template_sees_data_values_and_inputs(run, step) -> None:
    step.inputs = (Input("e", "a", "success", "input", Payload({"n": 7})),)
    config = {
        "template": "{{ title }}: {{ data.a | thousands }}, {{ inputs[0].n }} | {{ data.b | markdown }}\n",
        "values": [{"name": "title", "value": "T"}],
    }
    result = await run("template", config, Payload({"a": 1234567, "b": "x|<y>`\nz\x1b"}, ["h"]))
    assert result.outputs["success"] == Payload({"text": "T: 1,234,567, 7 | x\\|\\<y\\>\\` z\ufffd\n"}, ["h"])
    config["save_as"] = "body"
    assert list((await run("template", config, {"a": 1, "b": ""})).outputs["success"].data) == ["body"]


async def test_texts_are_not_escaped_as_html(run) -> None:
    text = (
        (await run("template", {"template": "{{ data.x }}"}, {"x": "<b> & 'é'"}))
        .outputs["success"]
        .data["text"]
    )
    assert text == "<b> & 'é'"


@pytest.mark.parametrize(
    ("template", "hint"),
    [
        ("{{ missing }}", "'missing' is undefined"),
        ("{{ data.a.b }}", "has no attribute 'b'"),
        ("a\n{% for %}", "line 2"),
        ("{{ 1 / 0 }}", "ZeroDivisionError"),
        ("{{ ''.__class__.__mro__ }}", "unsafe"),
        ("{{ data.__init__.__globals__ }}", "unsafe"),
        ("{% include '/etc/passwd' %}", "no loader"),
        ("{{ data.update({'a': 1}) }}", "unsafe"),
    ],
)
async def test_templates_that_cannot_be_rendered_say_why(run, template: str, hint: str) -> None:
    with pytest.raises(FloworkError) as caught:
        await run("template", {"template": template}, {"a": 1})
    assert caught.value.code is ErrorCode.COMPONENT_FAILED
    assert hint in caught.value.message


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}", "time"),
        ("{{ 'x' * 10000000000 }}", "memory"),
        ("{{ 'x' * 3000000 }}", "too_large"),
        ("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "raised"),
        ("{{ 9 ** (9 ** 9) }}", "time"),
    ],
)
async def test_a_template_that_hangs_or_grows_fails_alone(run, template: str, reason: str) -> None:
    with pytest.raises(FloworkError) as caught:
        await run("template", {"template": template, "timeout_seconds": 1})
    assert caught.value.details == {"reason": reason}


async def test_a_value_that_does_not_fit_its_type_fails_the_step(run) -> None:
    with pytest.raises(ValueError, match="n: 'x' is not a number"):
        await run("template", {"template": "", "values": [{"name": "n", "value": "x", "type": "number"}]})
