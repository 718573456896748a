"""Texts with Jinja2 statements: which are recognised, what they mention, and what is refused when a run starts."""

from __future__ import annotations

import pytest

from core_engine.kernel.payload import Payload
from core_engine.workflow.expressions import Scope, compile_value
from core_engine.workflow.statements import LONGEST, Statements, find_statements, replaced, statements_in
from shared.errors import ErrorCode, FloworkError
from tests.core_engine.workflow.test_expressions import RESULTS, Vars


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{{ data.n }}",
        "{% load static %}",
        "100 {% for",
        "{%%}",
        "{# for #}",
        "a %} b {% c",
        "{% format %}",
    ],
)
def test_what_holds_no_statement_of_ours_is_no_template(text: str) -> None:
    assert find_statements(text) is None


@pytest.mark.parametrize(
    ("text", "roots", "variables", "nodes"),
    [
        ("{% if data.n %}x{% endif %}", {"data"}, (), ()),
        ("{%- for x in payload.history -%}{{ x }}{% endfor %}", {"payload"}, (), ()),
        ("{% set c = vars.CITY %}{{ c }}{{ vars['COUNT'] }}", {"vars"}, ("CITY", "COUNT"), ()),
        ('{% if nodes["Fetch page"].data.ok %}{{ nodes.Seed.data }}{% endif %}', {"nodes"}, (), ("Fetch page", "Seed")),
        ("{% raw %}{{ data.x }}{% endraw %}", set(), (), ()),
        ("{% for x in range(3) %}{{ x ~ run.id }}{% endfor %}", {"run"}, (), ()),
    ],
)  # fmt: skip
def test_a_template_names_what_it_sees(
    text: str, roots: set[str], variables: tuple[str, ...], nodes: tuple[str, ...]
) -> None:
    found = find_statements(text)
    assert found
    assert set(found.roots) & {"data", "payload", "nodes", "run", "vars"} == roots
    assert (set(found.variables), set(found.nodes)) == (set(variables), set(nodes))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("one\n{% for x in data %}", "line 2: Unexpected end of template"),
        ("{% if %}{% endif %}", "line 1"),
        ("{% for n in nodes %}{% endfor %}", "must be named"),
        ("{% set v = vars[data.name] %}", "must be named"),
        ("{% if " + "(" * 5000 + "1" + ")" * 5000 + " %}{% endif %}", "nested too deeply"),
        ("{% if 1 %}" + "x" * LONGEST + "{% endif %}", "the component Template takes more"),
    ],
)
def test_what_is_no_valid_template_is_refused_with_its_place(text: str, problem: str) -> None:
    with pytest.raises(FloworkError, match=problem) as caught:
        find_statements(text)
    assert caught.value.code is ErrorCode.INVALID_WORKFLOW


def test_a_template_is_given_what_it_mentions_and_nothing_else() -> None:
    text = "{% if nodes.Seed %}{{ nodes.Nobody }}{{ vars.KEY }}{{ vars.NOPE }}{{ run.id }}{% endif %}"
    found = find_statements(text)
    assert found
    scope = Scope(Payload({"n": 1}), RESULTS.get, lambda: {"id": "run-1"}, Vars(), "0xa")
    values = found.values(scope)
    assert values == {
        "nodes": {"Seed": {"data": {"ok": 3}}}, "run": {"id": "run-1"}, "vars": {"KEY": "hush-hush"},
    }  # fmt: skip
    assert scope.secrets == ["hush-hush"]


def test_templates_are_found_and_replaced_as_deep_as_settings_go() -> None:
    compiled, found = compile_value({"a": ["{% if 1 %}x{% endif %}", {"b": "{{ data.n }}", "c": 1}]})
    assert found
    (only,) = statements_in(compiled)
    settled = replaced(compiled, lambda of: f"<{of.text}>")
    assert settled["a"][0] == "<{% if 1 %}x{% endif %}>"
    assert settled["a"][1] == compiled["a"][1]
    assert isinstance(only, Statements)
