"""Compiled queries beside the library's interpreter: the same answers, the same refusals, the same cost."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jmespath import ast
from jmespath.functions import Functions
from jmespath.parser import Parser
from jmespath.visitor import TreeInterpreter, _Expression

from core_engine.workflow.queries import Query, visible_members
from core_engine.workflow.query_code import compile_tree
from core_engine.workflow.query_meter import Meter, QueryError

PLENTY = 1_000_000
NAMES = st.sampled_from(["a", "b", "c", "x y"])
SCALARS = (
    st.none() | st.booleans() | st.sampled_from([0, 1, -1, 2.5, 0.0, 1.0, "", "a", "b", "12", "1.5", "é"])
)
DOCUMENTS = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=12,
)
LEAVES = st.one_of(
    NAMES.map(ast.field),
    DOCUMENTS.map(ast.literal),
    st.just(ast.current_node()),
    st.just(ast.identity()),
    st.integers(-3, 3).map(ast.index),
)
FUNCTIONS = sorted(Functions.FUNCTION_TABLE)


def places() -> st.SearchStrategy[int | None]:
    return st.none() | st.integers(-3, 3)


def grown(inner: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """Return nodes of every kind that has children."""
    several = st.lists(inner, min_size=1, max_size=3)
    pairs = st.builds(ast.key_val_pair, NAMES, inner)
    arguments = st.lists(inner | st.builds(ast.expref, inner), max_size=3)
    return st.one_of(
        several.map(ast.subexpression),
        several.map(ast.index_expression),
        st.builds(ast.pipe, inner, inner),
        st.builds(ast.projection, inner, inner),
        st.builds(ast.value_projection, inner, inner),
        st.builds(ast.filter_projection, inner, inner, inner),
        st.builds(ast.flatten, inner),
        st.builds(ast.index_expression, st.tuples(inner, st.builds(ast.slice, places(), places(), places()))),
        several.map(ast.multi_select_list),
        st.lists(pairs, min_size=1, max_size=3).map(ast.multi_select_dict),
        st.builds(ast.or_expression, inner, inner),
        st.builds(ast.and_expression, inner, inner),
        st.builds(ast.not_expression, inner),
        st.builds(ast.comparator, st.sampled_from(["eq", "ne", "lt", "lte", "gt", "gte"]), inner, inner),
        st.builds(ast.function_expression, st.sampled_from([*FUNCTIONS, "nothing"]), arguments),
    )


TREES = st.recursive(LEAVES, grown, max_leaves=8)


class Interpreter(TreeInterpreter):
    """The library's own, counting what each node costs: one, and one for each element or letter of what it finds."""

    def __init__(self, fuel: int) -> None:
        super().__init__()
        self.left = fuel

    def visit(self, node, *args, **kwargs):
        result = super().visit(node, *args, **kwargs)
        self.left -= 1 + (len(result) if isinstance(result, list | str) and node["type"] != "field" else 0)
        if self.left < 0:
            raise QueryError("it takes too many steps on this data")
        return result


def shown(value: Any) -> Any:
    """Return a value so that equal means the same type, order included; references have an address of their own."""
    if isinstance(value, _Expression):
        return "&"
    if isinstance(value, list):
        return [shown(item) for item in value]
    if isinstance(value, dict):
        return [(name, shown(item)) for name, item in value.items()]
    return re.sub(r"0x[0-9a-f]+", "0x", repr(value))


def interpreted(tree: dict[str, Any], document: Any, fuel: int) -> tuple[Any, ...]:
    interpreter = Interpreter(fuel)
    try:
        return shown(interpreter.visit(tree, document)), fuel - interpreter.left
    except Exception as error:  # noqa: BLE001 - whatever it is, ours must be the same
        return type(error), shown(str(error))


def compiled(tree: dict[str, Any], document: Any, fuel: int) -> tuple[Any, ...]:
    meter = Meter()
    meter.left = fuel
    try:
        run, fixed = compile_tree(tree)
        found = run(document, meter)
        meter.charge(fixed)
        return shown(found), fuel - meter.left
    except Exception as error:  # noqa: BLE001
        return type(error), shown(str(error))


@settings(max_examples=300, deadline=None)
@given(TREES, DOCUMENTS)
def test_every_tree_answers_refuses_and_costs_as_in_the_library(tree: dict[str, Any], document: Any) -> None:
    assert compiled(tree, document, PLENTY) == interpreted(tree, document, PLENTY)


@settings(max_examples=100, deadline=None)
@given(TREES, DOCUMENTS, st.integers(0, 30))
def test_what_the_fuel_does_not_suffice_for_is_refused_as_before(
    tree: dict[str, Any], document: Any, fuel: int
) -> None:
    found, expected = compiled(tree, document, fuel), interpreted(tree, document, fuel)
    if isinstance(expected[0], type):  # of two reasons to refuse the other one may come first
        assert isinstance(found[0], type)
    else:
        assert found == expected


@settings(max_examples=300, deadline=None)
@given(TREES, st.dictionaries(NAMES, DOCUMENTS, min_size=1))
def test_no_tree_sees_what_it_is_said_not_to_see(tree: dict[str, Any], document: dict[str, Any]) -> None:
    seen = visible_members(tree)
    if seen is not None:
        only = {name: value for name, value in document.items() if name in seen}
        assert compiled(tree, only, PLENTY) == compiled(tree, document, PLENTY)


DATA = {
    "n": 2, "zero": 0, "name": "Bandung", "empty": [], "none": None, "no": False,
    "list": [3, 1, 2], "words": ["b", "a"], "mixed": [1, "a", None, True], "nested": [[1, [2]], [], 3, [4]],
    "rows": [{"path": f"/p{i}", "bytes": i, "tags": [i, str(i)]} for i in range(6)] + [None, 7],
    "deep": {"x y": [{"v": None}, {"v": True}], "z": {"v": 1}},
}  # fmt: skip
TEXTS = """
n; name; nothing; nothing.more; name.more; deep."x y"; deep.*; deep.*.v; *; *.*; @; `1`; 'raw'; `"a"`
`[1, {"a": 2}]`; list[0]; list[-1]; list[9]; name[0]; list[1:]; list[::-1]; list[::2]; list[:2]; name[:1]
list[::0]; rows[*].path; rows[].tags; rows[].tags[]; rows[*].tags[]; rows[*].tags[0]; rows[?bytes > `3`].path
rows[?bytes > `3` && path != '/p5'].{p: path, b: bytes}; rows[?!bytes]; rows[?tags[1] == '2'] | [0]
rows[?bytes]; rows[?name]; rows[?path == 'x']; nested[]; nested[][]; nested[*][0]; mixed[?@ == `1`]
mixed[?@ == `true`]; [n, name]; {a: n, b: name, c: list}; none.[a]; none.{a: b}; deep.[z, "x y"]
rows[0].[path, bytes]; n || name; none || name; empty || name; zero || name; no || name; n && name
none && name; !n; !zero; !none; !empty; !name; n == `2`; n == `2.0`; n != `2`; zero == no; n == name
list == `[3, 1, 2]`; n < `3`; n >= `2`; name < 'C'; name < `1`; none < `1`; zero == `false`; `1` == `true`
no == `0`; `true` > `false`; list > `1`; abs(n); abs(name); abs(); abs(n, n); avg(list); avg(empty); avg(mixed)
avg(words); ceil(`1.5`); floor(`1.5`); contains(list, n); contains(name, 'and'); contains(name, n)
contains(n, n); ends_with(name, 'g'); starts_with(name, 'B'); join(', ', words); join(', ', list)
join(n, words); keys(deep); keys(list); values(deep); length(list); length(name); length(deep); length(n)
map(&bytes, rows); map(&@, list); map(&[@, @], list); map(n, list); max(list); max(words); max(mixed)
max(empty); min(list); max_by(rows[:6], &bytes); min_by(rows[:6], &path); max_by(rows, &bytes)
max_by(empty, &a); merge(deep, {a: n}); merge(deep, list); merge(); merge(deep); not_null(none, nothing, n)
not_null(none); not_null(none, name); reverse(list); reverse(name); reverse(n); sort(list); sort(words)
sort(mixed); sort_by(rows[:6], &path); sort_by(rows, &bytes); sort_by(empty, &a); sum(list); sum(empty)
sum(words); sum(mixed); sum([n, `1`]); to_array(n); to_array(list); to_string(deep); to_string(name)
to_number('12'); to_number('1.5'); to_number('x'); to_number(list); to_number(none); type(n); type(no); type(@)
type(&n); unknown(n); &n; [&n]; to_string(&n); n | @; list | [0]; list[*] | [0]; rows[*].path | join('', @)
rows | [?bytes] | [0]; length(rows[?bytes > `1`]) > `2`; sort_by(rows[?bytes], &bytes)[-1].path
{first: rows[0].path, many: rows[*].bytes | sum([@, list][])}
"""


@pytest.mark.parametrize("text", re.split(r";\s+|\n", TEXTS.strip()))
def test_every_feature_of_the_language_answers_as_in_the_library(text: str) -> None:
    tree = Parser().parse(text).parsed
    assert compiled(tree, DATA, PLENTY) == interpreted(tree, DATA, PLENTY)


@pytest.mark.parametrize(
    ("text", "roots"),
    [
        ("sum([data.n, `1`])", {"data"}),
        ("data.rows[?bytes > `1`].path", {"data", "bytes"}),
        ("nodes.a.data || vars.X", {"nodes", "vars"}),
        ("data | run", {"data"}),
        ("'fixed'", set()),
    ],
)
def test_members_that_a_query_cannot_see_need_not_be_there(text: str, roots: set[str]) -> None:
    found = Query(text).roots
    assert found is not None
    assert found <= roots
    assert found >= roots & {"data", "nodes", "vars", "run"}


@pytest.mark.parametrize("text", ["@", "*", "keys(@)", "[@]", "{a: @}", "@.data", "data || @"])
def test_a_query_that_sees_the_whole_is_known_as_such(text: str) -> None:
    assert Query(text).roots is None


@pytest.mark.parametrize("text", ["|".join(["a"] * 900), "||".join(["a"] * 600), "!" * 900 + "a"])
def test_a_query_that_is_nested_too_deeply_is_refused_as_one(text: str) -> None:
    with pytest.raises(QueryError):
        Query(text).search({})
