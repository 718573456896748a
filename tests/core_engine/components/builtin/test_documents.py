"""The components for XML, HTML, Markdown and JSON Schema."""

from __future__ import annotations

import json
import time

import pytest
from pydantic import ValidationError

from core_engine.kernel.payload import Payload
from shared.errors import FloworkError


async def result(run, component: str, config, data=None, name: str = "xml"):
    return (await run(component, config, data)).outputs["success"].data[name]


XML = '\ufeff<?xml version="1.0" encoding="latin-1"?><o id="1"><i>a é</i><i x="2">b</i><e/><!-- c --></o>'


async def test_xml_becomes_data(run) -> None:
    found = await result(run, "xml", {}, XML)
    assert found == {"o": {"@id": "1", "i": ["a é", {"@x": "2", "#text": "b"}], "e": None}}
    assert await result(run, "xml", {"attributes": False}, XML) == {"o": {"i": ["a é", "b"], "e": None}}
    assert (await result(run, "xml", {"force_lists": "e, o"}, XML))["o"][0]["e"] == [None]


async def test_data_becomes_xml_and_back(run) -> None:
    data = {"o": {"@id": "1", "i": ["a < é", {"@x": "2\"'", "#text": "b&"}], "ok": True, "n": None}}
    text = await result(run, "xml", {"action": "build"}, data, "text")
    assert text.startswith('<?xml version="1.0" encoding="utf-8"?>\n<o id="1">')
    again = await result(run, "xml", {}, text)
    assert again == {"o": {**data["o"], "ok": "true"}}
    built = await result(run, "xml", {"action": "build", "root": "r", "pretty": False}, {"a": [1, 2]}, "text")
    assert built.endswith("<r><a>1</a><a>2</a></r>")


LAUGHS = '<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><l>&b;</l>'


@pytest.mark.parametrize(
    "text",
    [
        LAUGHS,
        '<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
        '<!DOCTYPE a [<!ENTITY x SYSTEM "http://x/">]><a>&x;</a>',
        "<a>&x;</a>",
        "<a>",
        "",
        "no xml",
        "<a/><b/>",
        "<a>\x00</a>",
        "<a>" * 60 + "</a>" * 60,
    ],
)
async def test_xml_that_is_none_or_evil_is_refused(run, text: str) -> None:
    with pytest.raises(FloworkError, match="not XML that can be used"):
        await run("xml", {}, text)


@pytest.mark.parametrize(
    ("data", "outer"),
    [
        ({"a": 1, "b": 2}, ""),
        ([1], ""),
        ({"a": {"b c": 1}}, ""),
        ({"1a": 1}, ""),
        ({"a": "\x00"}, ""),
        ({"a": {"@b=c": 1}}, ""),
    ],
)
async def test_data_that_makes_no_xml_is_refused(run, data, outer: str) -> None:
    with pytest.raises(FloworkError):
        await run("xml", {"action": "build", "text": data, "root": outer})


PAGE = """<!doctype html><title>Shop</title><h1> Tea &amp;
  more </h1><ul><li><a href="/a">A</a><b>1</b><li><a href="/b">B</a></ul>
<table><tr><th>Item<th>Price<tr><td>Tea<td>3<tr><td>Milk</table><script>alert(1)</script>"""


async def test_html_is_picked_apart(run) -> None:
    fields = [
        {"name": "title", "selector": "h1"},
        {"name": "links", "selector": "a", "take": "attribute", "attribute": "href", "many": True},
        {"name": "table", "selector": "table", "take": "table"},
        {"name": "bold", "selector": "b", "take": "html"},
        {"name": "has", "selector": "ul > li", "take": "exists"},
        {"name": "none", "selector": "h6"},
        {"name": "nothing", "selector": "h6", "many": True},
    ]
    assert await result(run, "html_extract", {"fields": json.dumps(fields)}, PAGE, "html") == {
        "title": "Tea & more",
        "links": ["/a", "/b"],
        "table": [{"Item": "Tea", "Price": "3"}, {"Item": "Milk", "Price": None}],
        "bold": "<b>1</b>",
        "has": True,
        "none": None,
        "nothing": [],
    }


async def test_html_rows_become_records(run) -> None:
    config = {
        "rows": "li",
        "fields": [{"name": "name", "selector": "a"}, {"name": "n", "selector": "b"}, {"name": "all"}],
    }
    rows = await result(run, "html_extract", config, PAGE, "html")
    assert rows == [{"name": "A", "n": "1", "all": "A1"}, {"name": "B", "n": None, "all": "B"}]
    plain = {"fields": [{"name": "t", "selector": "table", "take": "table"}], "tidy": False}
    assert await result(run, "html_extract", plain, "<table><tr><td> a </table>", "html") == {"t": [[" a "]]}


@pytest.mark.parametrize("page", ["", "no tags", "<", "<p>" * 5000, "\x00\ud800"])
async def test_odd_pages_have_nothing_in_them(run, page: str) -> None:
    config = {"fields": [{"name": "a", "selector": "h1"}]}
    assert await result(run, "html_extract", config, page, "html") == {"a": None}


async def test_markdown_becomes_html_without_any_of_its_own(run) -> None:
    text = "# Hé\n\n<script>x</script> [a](javascript:x) [b](https://x.example)\n\n|a|b|\n|-|-|\n|1|~~2~~|\n"
    html = await result(run, "markdown_to_html", {}, {"text": text}, "html")
    assert "<h1>Hé</h1>" in html
    assert "&lt;script&gt;" in html
    assert "<script" not in html
    assert 'href="javascript' not in html
    assert '<a href="https://x.example">b</a>' in html
    assert "<td><s>2</s></td>" in html
    assert "<table>" not in await result(run, "markdown_to_html", {"tables": False}, {"text": text}, "html")


async def test_markdown_can_make_a_page(run) -> None:
    page = await result(
        run, "markdown_to_html", {"whole_page": True, "title": "<T>", "line_breaks": True}, "a\nb", "html"
    )
    assert page.startswith("<!doctype html>")
    assert "<title>&lt;T&gt;</title>" in page
    assert "a<br" in page
    assert await result(run, "markdown_to_html", {}, "", "html") == ""


SCHEMA = {
    "type": "object",
    "required": ["id"],
    "additionalProperties": False,
    "properties": {
        "id": {"type": "integer"},
        "mail": {"type": "string", "format": "email"},
        "code": {"type": "string", "pattern": "^[a-z]+$"},
        "lines": {"type": "array", "items": {"$ref": "#/$defs/line"}},
    },
    "$defs": {"line": {"type": "object", "properties": {"price": {"type": "number", "minimum": 0}}}},
}


async def test_data_that_fits_its_schema_passes_unchanged(run) -> None:
    payload = Payload({"id": 1, "code": "abc", "lines": [{"price": 0}], "mail": "a@b.example"}, ["h"])
    assert (await run("json_schema", {"rules": json.dumps(SCHEMA)}, payload)).outputs == {"valid": payload}


async def test_every_problem_is_listed_by_its_path(run) -> None:
    data = {"lines": [{"price": 1}, {"price": -1}], "code": "A", "é": 1, "mail": "none"}
    outputs = (await run("json_schema", {"rules": SCHEMA}, data)).outputs
    assert list(outputs) == ["invalid"]
    found = {(problem["path"], problem["rule"]) for problem in outputs["invalid"].data["errors"]}
    assert found == {
        ("", "required"),
        ("lines[1].price", "minimum"),
        ("code", "pattern"),
        ("", "additionalProperties"),
        ("mail", "format"),
    }
    few = {"rules": SCHEMA, "most": 2, "formats": False, "value": data, "errors_as": "wrong"}
    assert len((await run("json_schema", few, {})).outputs["invalid"].data["wrong"]) == 2


async def test_patterns_in_schemas_take_no_longer_than_their_text(run) -> None:
    evil = "^(a+)+$"
    rules = {
        "properties": {"x": {"pattern": evil}},
        "patternProperties": {evil: {"type": "number"}},
        "additionalProperties": {"type": "string"},
    }
    started = time.monotonic()
    data = {"x": "a" * 50_000 + "b", "a" * 50_000 + "b": 1, "aaa": "no number", "z": "text"}
    problems = (await run("json_schema", {"rules": rules}, data)).outputs["invalid"].data["errors"]
    assert time.monotonic() - started < 60  # backtracking would take longer than the age of the universe
    assert sorted(problem["rule"] for problem in problems) == ["pattern", "type", "type"]


@pytest.mark.parametrize(
    ("rules", "hint"),
    [
        ({"$ref": "http://127.0.0.1:1/x.json"}, "points outside"),
        ({"properties": {"a": {"$ref": "other.json"}}}, "points outside"),
        ({"type": "strange"}, "type"),
        ({"pattern": "(?=x)"}, "pattern is not valid"),
        ({"patternProperties": {"(": {}}}, "("),
        ("[", "not JSON"),
        ([], "is an object"),
        ({"patternProperties": {"a": {}}, "unevaluatedProperties": False}, "together"),
    ],
)
def test_schemas_that_cannot_be_used_are_refused_with_the_settings(registry, rules, hint: str) -> None:
    with pytest.raises(ValidationError) as caught:
        registry.find("json_schema").parse_config({"rules": rules})
    (error,) = caught.value.errors()
    assert error["loc"][0] == "rules"
    assert hint in error["msg"]


async def test_a_reference_in_plain_data_is_no_reference(run) -> None:
    rules = {"const": {"$ref": "http://x.example/"}}
    assert list((await run("json_schema", {"rules": rules}, {"$ref": "http://x.example/"})).outputs) == [
        "valid"
    ]


@pytest.mark.parametrize("rules", [{"$ref": "#"}, {"$ref": "#/$defs/none"}])
async def test_a_schema_that_goes_in_circles_fails_the_step(run, rules) -> None:
    with pytest.raises(FloworkError):
        await run("json_schema", {"rules": rules}, {})


@pytest.mark.parametrize(
    ("component", "wrong", "field"),
    [
        ("xml", {"action": "eat"}, "action"),
        ("html_extract", {"fields": []}, "fields"),
        ("html_extract", {"fields": [{"name": "a", "selector": "p["}]}, "fields"),
        ("html_extract", {"fields": [{"name": "a", "take": "attribute"}]}, "fields"),
        ("html_extract", {"fields": [{"name": "a"}], "rows": ">>"}, "rows"),
        ("json_schema", {}, "rules"),
        ("markdown_to_html", {"title": "x" * 201}, "title"),
    ],
)
def test_wrong_settings_name_their_field(registry, component: str, wrong, field: str) -> None:
    with pytest.raises(ValidationError) as caught:
        registry.find(component).parse_config(wrong)
    assert caught.value.errors()[0]["loc"][0] == field
