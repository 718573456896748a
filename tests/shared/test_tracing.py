"""Trace contexts: what is read from outside, and ids that stay the same."""

from __future__ import annotations

import pytest

from shared.tracing import LENGTH, TraceContext, new_trace, read_traceparent, run_context, step_span_id

GOOD = f"00-{'a' * 32}-{'b' * 16}-01"


def test_what_is_sent_is_read() -> None:
    context = new_trace()
    assert len(context.traceparent) == LENGTH
    assert read_traceparent(context.traceparent) == context
    assert read_traceparent(GOOD[:-2] + "00") == TraceContext("a" * 32, "b" * 16)


@pytest.mark.parametrize(
    "given",
    [
        None, 5, b"", "", {}, [GOOD], GOOD.upper(), GOOD + "-x", GOOD[:-1], f" {GOOD[:-1]}", GOOD[:-1] + "\n",
        "01" + GOOD[2:], "ff" + GOOD[2:], f"00-{'0' * 32}-{'b' * 16}-01", f"00-{'a' * 32}-{'0' * 16}-01",
        f"00-{'g' * 32}-{'b' * 16}-01", f"00-{'a' * 31}\N{FULLWIDTH LATIN SMALL LETTER A}-{'b' * 16}-01",
        GOOD.replace("-", "_"), GOOD * 1000,
    ],
)  # fmt: skip
def test_anything_else_is_nothing(given: object) -> None:
    assert read_traceparent(given) is None


def test_a_run_joins_the_trace_it_is_given_and_else_has_its_own() -> None:
    joined, alone = run_context("run-1", GOOD), run_context("run-1", None)
    assert joined.trace_id == "a" * 32
    assert joined.span_id == alone.span_id
    assert alone == run_context("run-1", "nonsense")
    assert alone.trace_id != run_context("run-2", None).trace_id
    assert (
        len({alone.span_id, step_span_id("run-1", 1), step_span_id("run-1", 2), step_span_id("run-2", 1)})
        == 4
    )
