"""Figures by one label that cost next to nothing where they are counted: the library's own take a lock for each."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString
from typing_extensions import override

from shared.clock import SystemClock


class Tally(Collector):
    """A counter. It is counted on one thread, and may be collected on any."""

    def __init__(self, name: str, text: str, label: str, *, registry: CollectorRegistry) -> None:
        self._name, self._text, self._label = name, text, label
        self._counts: dict[str, int] = {}
        self._since: dict[str, float] = {}
        registry.register(self)

    def add(self, value: str, count: int = 1) -> None:
        """Count something of this value of the label."""
        try:
            self._counts[value] += count
        except KeyError:
            self._since[value] = _now()
            self._counts[value] = count

    @override
    def collect(self) -> Iterator[Metric]:
        """Yield the counts so far."""
        family = CounterMetricFamily(self._name, self._text, labels=[self._label])
        for value, count in dict(self._counts).items():
            family.add_metric([value], count, created=self._since[value])
        yield family


class Spread(Collector):
    """A histogram; ``bounds`` are the upper ends of its buckets, ascending, without the infinite one."""

    def __init__(
        self, name: str, text: str, label: str, bounds: Sequence[float], *, registry: CollectorRegistry
    ) -> None:
        self._name, self._text, self._label = name, text, label
        self._bounds = tuple(map(float, bounds))
        self._rows: dict[str, _Row] = {}
        registry.register(self)

    def show(self, value: str) -> _Row:
        """Show this value of the label, also before anything is counted."""
        return self._rows.setdefault(value, _Row(len(self._bounds) + 1))

    def add(self, value: str, amount: float) -> None:
        """Count an amount of this value of the label."""
        self.add_all(value, (amount,))

    def add_all(self, value: str, amounts: Sequence[float]) -> None:
        """Count several amounts of this value of the label."""
        row, bounds = self._rows.get(value) or self.show(value), self._bounds
        buckets = row.buckets
        for amount in amounts:
            buckets[bisect_left(bounds, amount)] += 1
        row.total += sum(amounts)

    @override
    def collect(self) -> Iterator[Metric]:
        """Yield the spread so far."""
        family = HistogramMetricFamily(self._name, self._text, labels=[self._label])
        ends = [*map(floatToGoString, self._bounds), "+Inf"]
        for value, row in dict(self._rows).items():
            count, buckets = 0, []
            for end, own in zip(ends, row.buckets, strict=True):
                count += own
                buckets.append((end, float(count)))
            family.add_metric([value], buckets, row.total)
            family.add_sample(f"{self._name}_created", {self._label: value}, row.since)
        yield family


class _Row:
    """The counts of one value of the label, bucket by bucket, and the sum of its amounts."""

    __slots__ = ("buckets", "since", "total")

    def __init__(self, size: int) -> None:
        self.buckets = [0] * size
        self.total = 0.0
        self.since = _now()


def _now() -> float:
    return SystemClock().now_ms() / 1000
