"""How what came out is compared with what was expected."""

from __future__ import annotations

from typing import Any

import pytest

from core_engine.flowtest.compare import compare

ACTUAL = {"n": 3, "text": "run 42", "list": [1, {"a": 1, "b": 2}], "flag": True, "none": None}


@pytest.mark.parametrize(
    "expected",
    [
        {}, {"n": 3}, {"n": 3.0}, {"list": [1, {"a": 1}]}, {"none": None}, {"$any": True}, {"$exact": ACTUAL},
        {"n": {"$type": "integer"}}, {"flag": {"$type": "boolean"}}, {"text": {"$regex": r"^run \d+$"}},
        {"text": {"$contains": "42"}}, {"list": {"$contains": {"b": 2}}}, {"list": {"$length": 2}},
        {"n": {"$close": [3.05, 0.1]}}, {"gone": {"$absent": True}}, {"none": {"$any": 1}},
    ],
)  # fmt: skip
def test_what_is_alike(expected: Any) -> None:
    assert compare(expected, ACTUAL) == []


@pytest.mark.parametrize(
    ("expected", "path"),
    [
        ({"n": 4}, "data.n"), ({"flag": 1}, "data.flag"), ({"list": [1]}, "data.list"), ([], "data"),
        ({"list": [1, {"a": 2}]}, "data.list[1].a"), ({"gone": 1}, "data.gone"), ({"gone": None}, "data.gone"),
        ({"$exact": {"n": 3}}, "data"), ({"n": {"$type": "string"}}, "data.n"), ({"n": {"x": 1}}, "data.n"),
        ({"text": {"$regex": "^x"}}, "data.text"), ({"list": {"$contains": 9}}, "data.list"),
        ({"list": {"$length": 3}}, "data.list"), ({"n": {"$close": [4, 0.5]}}, "data.n"),
        ({"gone": {"$any": True}}, "data.gone"), ({"n": {"$absent": True}}, "data.n"),
        ({"flag": {"$type": "integer"}}, "data.flag"), ({"text": {"$contains": 4}}, "data.text"),
    ],
)  # fmt: skip
def test_what_is_not(expected: Any, path: str) -> None:
    (found,) = compare(expected, ACTUAL)
    assert found.path == path


@pytest.mark.parametrize(
    "expected",
    [{"$like": 1}, {"$type": "text"}, {"$close": 3}, {"$regex": "("}, {"$regex": 3}, {"$close": []}],
)
def test_a_wrong_matcher_is_said(expected: Any) -> None:
    with pytest.raises(ValueError, match="matcher"):
        compare(expected, 3 if "$close" in expected else "text")


def test_many_differences_are_bounded_and_long_values_cut() -> None:
    found = compare({str(n): 0 for n in range(1000)}, {str(n): "x" * 1000 for n in range(1000)})
    assert len(found) == 100
    assert len(found[0].actual) < 400
