from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core_engine.components.conditions import OPERATORS, holds, number

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@pytest.mark.parametrize(
    ("left", "operator", "right", "expected"),
    [
        (None, "is empty", None, True), ("", "is empty", None, True), ([], "is empty", None, True),
        ({}, "is empty", None, True), (0, "is empty", None, False), (False, "is empty", None, False),
        ("x", "is not empty", None, True),
        ("12.5", "is number", None, True), ("1e3", "is number", None, True), (True, "is number", None, False),
        ("nan", "is number", None, False), ("12a", "is not number", None, True),
        ("Hello World", "contains", "world", True), ("Hello", "not contains", "x", True),
        ([1, "b"], "contains", "1", True), ([1], "contains", 2, False), ({"a": 1}, "contains", "a", True),
        (None, "contains", "a", False),
        ("Report.PDF", "ends_with", ".pdf", True), ("Report", "starts_with", "rep", True),
        (404, "starts_with", "4", True),
        (5, "==", "5", True), (5, "==", "5.0", True), (5, "==", "five", False), ("5", "==", 5, True),
        ("5.0", "==", 5, False), (True, "==", "true", True), (True, "==", 1, False), (False, "!=", "true", True),
        ([1, 2], "==", "[1, 2]", True), (None, "==", None, True), (None, "==", "null", True), ("a", "!=", "b", True),
        (10, ">", "9", True), ("10", ">", "9", True), ("abc", ">", 1, False), (1, "<=", 1, True), (2, "<", 1, False),
        (2, ">=", "2", True), (None, "<", 1, False),
    ],
)  # fmt: skip
def test_operators(left, operator, right, expected) -> None:
    assert holds(left, operator, right) is expected


@given(JSON, st.sampled_from(OPERATORS), JSON)
def test_every_comparison_ends_with_true_or_false(left, operator, right) -> None:
    assert holds(left, operator, right) in (True, False)


@given(JSON, JSON)
def test_opposites_disagree(left, right) -> None:
    for one, other in (("==", "!="), ("contains", "not contains"), ("is empty", "is not empty")):
        assert holds(left, one, right) is not holds(left, other, right)


def test_numbers_beyond_a_float_are_no_numbers() -> None:
    assert number("1e400") is None
    assert number(10**400) is None
