"""Durations that go into the library's figures many at a time are counted as if each had gone alone."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest
from prometheus_client import CollectorRegistry, Histogram, generate_latest

from gateway.telemetry.counts import Counts
from gateway.telemetry.gathered import Durations, Gathered
from gateway.telemetry.shared_files import FOLDER

BOUNDS = (0.1, 0.25, 1)
SECONDS = (0.0, 0.05, 0.1, 0.1000001, 0.25, 0.3, 1.0, 1.5, 400.0)


def shown(registry: CollectorRegistry) -> list[str]:
    return [line for line in generate_latest(registry).decode().splitlines() if "_created" not in line]


def test_several_at_once_are_counted_like_one_by_one() -> None:
    ours, library = CollectorRegistry(), CollectorRegistry()
    at_once = Durations("work_seconds", "Work", ["kind"], registry=ours, buckets=BOUNDS)
    single = Histogram("work_seconds", "Work", ["kind"], registry=library, buckets=BOUNDS)
    at_once.labels("a").observe_all(SECONDS)
    for each in SECONDS:
        single.labels("a").observe(each)
    assert shown(ours) == shown(library)


def test_they_wait_until_there_are_enough_or_they_are_asked_for() -> None:
    counted: list[list[float]] = []
    gathered = Gathered(3, lambda seconds: counted.append(list(seconds)))
    gathered.add(1)
    gathered.add(2)
    assert counted == []
    gathered.add(3)
    assert counted == [[1, 2, 3]]
    gathered.add(4)
    gathered.hand_over()
    gathered.hand_over()
    assert counted == [[1, 2, 3], [4]]


def test_every_figure_gets_all_of_them_and_several_threads_lose_none() -> None:
    counted: list[float] = []
    number = [0]
    lock = threading.Lock()

    def count(seconds: Sequence[float]) -> None:
        with lock:
            number[0] += len(seconds)

    gathered = Gathered(7, counted.extend, count)

    def work() -> None:
        for _ in range(2000):
            gathered.add(1)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    gathered.hand_over()
    assert (len(counted), number) == (8000, [8000])


@pytest.mark.parametrize(("processes", "counted"), [(1, 0), (2, 1)])
def test_nothing_waits_where_another_process_shows_it(
    processes: int, counted: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(FOLDER, raising=False)
    if processes > 1:
        monkeypatch.setenv(FOLDER, "/nowhere")
    registry = CollectorRegistry()
    counts = Counts(registry)
    counts.requested("list_engines", 200, 0.1)
    registry.unregister(counts)  # which would have what waits counted
    labels = {"operation": "list_engines", "status": "200"}
    assert registry.get_sample_value("flowork_gateway_requests_total", labels) == counted
