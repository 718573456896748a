"""The engine's own figures, counted where the work is done. Every label has a small, fixed set of values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from prometheus_client import CollectorRegistry, Counter, Histogram

from core_engine.workflow import records as r
from core_engine.workflow.run import LiveRun

RUN_BUCKETS = (0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 1800, 3600, 21600, 86400)
STEP_BUCKETS = (0.001, 0.005, 0.025, 0.1, 0.5, 1, 5, 15, 60, 300, 1800)
VERIFY_BUCKETS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25)


MetricT = TypeVar("MetricT", Counter, Histogram)


class _ByLabel(dict[str, MetricT]):
    """The children of a metric with one label: the library looks each up under a lock, hundreds of times a run."""

    def __init__(self, metric: MetricT) -> None:
        super().__init__()
        self._metric: MetricT = metric

    def __missing__(self, label: str) -> MetricT:
        child: MetricT = self._metric.labels(label)
        self[label] = child
        return child


class Counts:
    """Counts runs, steps and messages; is a `core_engine.kernel.meters.Meter`, and sees what the journal took."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._started = _ByLabel(
            Counter("flowork_engine_runs_started", "Runs that were accepted", ["mode"], registry=registry)
        )
        self._finished = _ByLabel(
            Counter("flowork_engine_runs_finished", "Runs that ended, by how", ["status"], registry=registry)
        )
        self._run_seconds = _ByLabel(
            Histogram(
                "flowork_engine_run_duration_seconds",
                "Time from a run's acceptance to its end, waits included",
                ["status"],
                buckets=RUN_BUCKETS,
                registry=registry,
            )
        )
        self._step_seconds = Histogram(
            "flowork_engine_step_duration_seconds",
            "Time that attempts at steps took",
            ["outcome"],
            buckets=STEP_BUCKETS,
            registry=registry,
        )
        self._verify_seconds = _ByLabel(
            Histogram(
                "flowork_engine_verify_duration_seconds",
                "Time that the check of one signed message took",
                ["outcome"],
                buckets=VERIFY_BUCKETS,
                registry=registry,
            )
        )
        self._commands = _ByLabel(
            Counter(
                "flowork_engine_commands",
                "Commands by outcome: ok or an error code",
                ["outcome"],
                registry=registry,
            )
        )
        self._relayed = _ByLabel(
            Counter(
                "flowork_engine_relay_messages",
                "Messages of pages behind the gateway",
                ["direction"],
                registry=registry,
            )
        )
        for direction in ("in", "out"):
            self._relayed[direction].inc(0)  # so that it is listed from the start
        self._succeeded = self._step_seconds.labels("success")
        self._failed = self._step_seconds.labels("error")

    def verified(self, seconds: float, outcome: str) -> None:
        """Note the check of one signed message."""
        self._verify_seconds[outcome].observe(seconds)

    def answered(self, outcome: str) -> None:
        """Note a message that was carried out or refused."""
        self._commands[outcome].inc()

    def relayed(self, direction: str, count: int) -> None:
        """Note messages of pages."""
        self._relayed[direction].inc(count)

    def see(self, run: LiveRun, records: Sequence[r.Record]) -> None:
        """Count what the journal took of a run."""
        for record in records:
            match record:
                case r.StepRan() | r.StepFinished() | r.StepLooped():
                    self._succeeded.observe(record.ms / 1000)
                case r.StepFailed():
                    self._failed.observe(record.ms / 1000)
                case r.RunAccepted():
                    self._started[record.mode].inc()
                case r.RunFinished():
                    self._finished[record.status].inc()
                    seconds = max(0, record.at - run.state.accepted.at) / 1000
                    self._run_seconds[record.status].observe(seconds)
