from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from core_engine.components.fields import JsonList, NamedValue, Words, typed_values


def value(given, kind: str):
    return NamedValue(name="x", value=given, type=kind).typed()


@pytest.mark.parametrize(
    ("given", "kind", "expected"),
    [
        ("5", "auto", "5"), (5, "auto", 5), ("5", "number", 5), ("5.5", "float", 5.5), (7, "integer", 7),
        (5, "text", "5"), ({"a": 1}, "string", '{"a": 1}'), ("yes", "boolean", True), ("OFF", "boolean", False),
        (True, "boolean", True), ("", "boolean", False), ("[1]", "json", [1]), ([1], "list", [1]),
        ('{"a": 1}', "object", {"a": 1}), ("x", "something new", "x"), ("1e300", "number", 1e300),
    ],
)  # fmt: skip
def test_values_become_what_their_type_says(given, kind: str, expected) -> None:
    found = value(given, kind)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(("given", "kind"), [("five", "number"), ("perhaps", "boolean"), ("{", "json")])
def test_a_value_that_does_not_fit_is_named(given: str, kind: str) -> None:
    with pytest.raises(ValueError, match=r"^x: "):
        typed_values([NamedValue(name="x", value=given, type=kind)])


def test_the_last_of_one_name_wins() -> None:
    assert typed_values([NamedValue(name="a", value=1), NamedValue(name="a", value=2)]) == {"a": 2}


def test_lists_may_come_as_text() -> None:
    lists = TypeAdapter(JsonList[int])
    assert lists.validate_python("[1, 2]") == lists.validate_python([1, 2]) == [1, 2]
    assert lists.validate_python("") == lists.validate_python(None) == []
    with pytest.raises(ValidationError, match="not a JSON list"):
        lists.validate_python("[1")


def test_words_may_come_with_commas() -> None:
    words = TypeAdapter(Words)
    assert words.validate_python("a, b ,,c") == ["a", "b", "c"]
    assert words.validate_python('["a"]') == words.validate_python(["a"]) == ["a"]
    assert words.validate_python(None) == []
