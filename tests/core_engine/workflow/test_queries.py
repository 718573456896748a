"""Queries are metered: what would take the loop or explode is refused, ordinary ones answer as JMESPath does."""

from __future__ import annotations

import time

import jmespath
import pytest

from core_engine.workflow.queries import MAX_COPIES, Query, QueryError

RECORDS = {"data": {"rows": [{"path": f"/p{i}", "bytes": i} for i in range(2000)], "name": "x"}}


@pytest.mark.parametrize(
    "text",
    [
        "data.name",
        "data.rows[?bytes > `1990`].path",
        "data.rows[*].{where: path, size: bytes}",
        "sort_by(data.rows, &bytes)[-1]",
        "{first: data.rows[0], last: data.rows[-1], count: length(data.rows)}",
        "data.missing || 'fallback'",
    ],
)
def test_ordinary_queries_answer_as_the_library_does(text: str) -> None:
    assert Query(text).search(RECORDS) == jmespath.search(text, RECORDS)


@pytest.mark.parametrize(
    "text",
    ["[data][]" + " | [@,@][]" * 23, "data" + " | [@,@]" * 20, "data | " + "{a: @, b: @} | " * 30 + "@"],
)
def test_a_query_that_multiplies_its_input_is_refused_when_compiled(text: str) -> None:
    with pytest.raises(QueryError, match=str(MAX_COPIES)):
        Query(text)


def test_a_query_that_takes_long_on_its_data_is_cut_off() -> None:
    value = {"data": [list(range(1000))] * 1000}
    begun = time.perf_counter()
    with pytest.raises(QueryError, match="too many steps"):
        Query("data[].[@, @, @][] | [?@ > `-1`] | [?@ > `-1`]").search(value)
    assert time.perf_counter() - begun < 20, "cut off long before the whole of it"


@pytest.mark.parametrize("text", ["data.[", "abs('x')", "data.name.sum(@)", "(" * 3000])
def test_what_is_no_query_or_does_not_fit_says_so(text: str) -> None:
    with pytest.raises(QueryError):
        Query(text).search(RECORDS)
