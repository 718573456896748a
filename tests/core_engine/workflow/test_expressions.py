"""Placeholders in settings: what is recognised, what it becomes, and what is refused."""

from __future__ import annotations

import string
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core_engine.kernel.payload import Payload
from core_engine.workflow.expressions import (
    NoVariables,
    Scope,
    Variable,
    compile_text,
    compile_value,
)
from core_engine.workflow.settings_plan import SettingsPlan
from shared.errors import ErrorCode, FloworkError
from tests.core_engine.workflow.workshop import Add

DATA = {"n": 2, "name": "Bandung", "list": [3, 1, 2], "deep": {"x y": [{"v": None}, {"v": True}]}}
RESULTS = {
    "5b0e0f1c-6a53": {"data": {"ok": 1}},
    "Fetch page": {"data": {"ok": 2}},
    "Seed": {"data": {"ok": 3}},
}


class Vars:
    def get(self, name: str, owner: str) -> Variable | None:
        known = {"CITY": Variable("Bandung"), "COUNT": Variable(3), "KEY": Variable("hush-hush", secret=True)}
        return known.get(name) if owner == "0xa" else None


def render(value: Any, data: Any = DATA, scope: Scope | None = None) -> Any:
    compiled, _ = compile_value(value)
    run = {"id": "run-1", "mode": "EXECUTE"}
    scope = scope or Scope(Payload(data, ["h"]), RESULTS.get, lambda: run, Vars(), "0xa")
    plan = SettingsPlan(Add(), {"it": compiled})
    return plan.values(plan.render(scope))["it"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{{ data.n }}", 2),
        ("{{data}}", DATA),
        ("n={{ data.n }}", "n=2"),
        ("{{data.n}}{{data.n}}", "22"),
        ("{{ payload.history[0] }}", "h"),
        ("{{ payload.data.name }}!", "Bandung!"),
        ("{{ sort(data.list) }}", [1, 2, 3]),
        ("{{ data.list | [0] }}", 3),
        ("{{ length(data.list) }}", 3),
        ('{{ data.deep."x y"[1].v }}', True),
        ('is {{ data.deep."x y"[1].v }}', "is true"),
        ('[{{ data.deep."x y"[0].v }}]', "[]"),
        ("{{ data.missing.deeper }}", None),
        ("{{ data.list }} items", "[3,1,2] items"),
        ("{{ {a: data.n, b: {c: run.id}} }}", {"a": 2, "b": {"c": "run-1"}}),
        ("{{ nodes.5b0e0f1c-6a53.data.ok }}", 1),
        ('{{ nodes."Fetch page".data.ok }}', 2),
        ("{{ nodes.Seed.data.ok }}", 3),
        ("{{ nodes.Nobody.data.ok }}", None),
        ("{{ run.id }}/{{run.mode}}", "run-1/EXECUTE"),
        ("{{vars.COUNT}}", 3),
        ("{{ vars.CITY }}-{{vars.COUNT}}", "Bandung-3"),
        ("{{vars.NOPE}}", "{{vars.NOPE}}"),
        ("x {{vars.NOPE}} y", "x {{vars.NOPE}} y"),
        ("{{ join('-', [vars.CITY, data.name]) }}", "Bandung-Bandung"),
        ("{{ vars.NOPE || data.n }}", 2),
        ("{{ {a: {b: {c: data.n}}}}}", {"a": {"b": {"c": 2}}}),
        ('{"a":{{ data.n }}}', '{"a":2}'),
        ('{"a":{"b":{{data.n}}}}', '{"a":{"b":2}}'),
        ("{{ x }} {{ data.n }} {{ y", "{{ x }} 2 {{ y"),
        ("data.n > `1` is {{ data.n > `1` }}", "data.n > `1` is true"),
    ],
)
def test_placeholders_become_values(text: str, value: Any):
    assert render(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "plain",
        "{{",
        "}}",
        "{{ }}",
        "{{ other }}",
        "{{ user.name }}",
        "{ {data.n} }",
        "{{data.n",
        "data.n}}",
        "{{" * 9,
    ],
)
def test_what_is_no_placeholder_of_ours_stays(text: str):
    assert compile_text(text) is None
    assert render(text) == text


def test_a_very_long_text_without_an_end_is_read_quickly():
    text = "{{ data " * 500_000
    assert render(text) == text
    body = "{{ " + "x" * 3000 + " data }}"
    assert render(body) == body


def test_settings_are_resolved_as_deep_as_they_go():
    value = {"a": ["{{data.n}}", {"b": "{{vars.CITY}}", "c": 1}], "d": None, "e": True}
    compiled, found = compile_value(value)
    assert found
    assert render(value) == {"a": [2, {"b": "Bandung", "c": 1}], "d": None, "e": True}
    assert compile_value({"a": [1, "x", None]}) == ({"a": [1, "x", None]}, False)
    assert compiled["e"] is True


def test_values_are_not_read_as_expressions_again():
    assert render("{{ data.evil }}", {"evil": "{{vars.KEY}}"}) == "{{vars.KEY}}"


@pytest.mark.parametrize(
    "text",
    [
        "{{ data. }}",
        "{{ data[ }}",
        "{{ sort(data }}",
        "{{ vars..X }}",
        "{{ data" + "(" * 1500 + "}}",
        "{{ {a: data }}",
    ],
)
def test_a_broken_query_on_our_roots_is_a_problem(text: str):
    with pytest.raises(FloworkError) as caught:
        compile_text(text)
    assert caught.value.code is ErrorCode.INVALID_WORKFLOW


@pytest.mark.parametrize(
    "text",
    ["{{ sort(data) }}", "{{ nosuch(data) }}", "{{ join(data, data) }}", "{{ max_by(data.list, &x.y) }}"],
)
def test_a_query_that_fails_is_an_error_of_the_step(text: str):
    with pytest.raises(FloworkError) as caught:
        render(text)
    assert caught.value.code is ErrorCode.INVALID_REQUEST


def test_used_secrets_are_collected():
    scope = Scope(Payload({}), RESULTS.get, dict, Vars(), "0xa")
    assert (
        render("{{vars.KEY}} {{vars.CITY}} {{ contains(vars.KEY, 'h') }}", scope=scope)
        == "hush-hush Bandung true"
    )
    assert set(scope.secrets) == {"hush-hush"}


def test_variables_belong_to_their_owner():
    scope = Scope(Payload({}), RESULTS.get, dict, Vars(), "0xb")
    assert render("{{vars.KEY}}", scope=scope) == "{{vars.KEY}}"
    assert NoVariables().get("KEY", "0xa") is None


@pytest.mark.filterwarnings("ignore:deprecated string literal syntax:PendingDeprecationWarning")
@given(st.text(alphabet=string.ascii_letters + "{}[]().|&`'\"@ *0123456789,:", max_size=60))
def test_any_text_compiles_or_is_refused_and_evaluation_is_total(text: str):
    for candidate in (text, "{{" + text + "}}", "{{ data." + text + " }}"):
        with suppress(FloworkError):
            render(candidate)
