"""Our own figures read exactly like the library's."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

from core_engine.telemetry.tallies import Spread, Tally

BOUNDS = (0.001, 0.25, 1, 60)
LABELS = st.sampled_from(["ok", "NOT_FOUND", 'a "quoted" one'])
AMOUNTS = st.one_of(st.sampled_from([0.0, *map(float, BOUNDS), 61.0]), st.floats(0, 1e6))


def exposed(registry: CollectorRegistry) -> str:
    """Return the text without the moments of creation."""
    return re.sub(r"(?m)^(\w+_created\S* .*?)\S+$", r"\1when", generate_latest(registry).decode())


@given(counts=st.lists(st.tuples(LABELS, st.integers(0, 9))), amounts=st.lists(st.tuples(LABELS, AMOUNTS)))
def test_they_are_exposed_as_the_librarys_own(
    counts: list[tuple[str, int]], amounts: list[tuple[str, float]]
) -> None:
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    tally, spread = (
        Tally("x_things", "Things", "kind", registry=ours),
        Spread("x_seconds", "Times", "kind", BOUNDS, registry=ours),
    )
    counter = Counter("x_things", "Things", ["kind"], registry=theirs)
    histogram = Histogram("x_seconds", "Times", ["kind"], buckets=BOUNDS, registry=theirs)
    for value, count in counts:
        tally.add(value, count)
        counter.labels(value).inc(count)
    for value, amount in amounts:
        spread.add(value, amount)
        histogram.labels(value).observe(amount)
    spread.show("none yet")
    histogram.labels("none yet")
    assert exposed(ours) == exposed(theirs)
