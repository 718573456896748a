"""The engine's own figures, counted where the work is done. Every label has a small, fixed set of values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from prometheus_client import CollectorRegistry

from core_engine.telemetry.tallies import Spread, Tally
from core_engine.workflow import records as r
from core_engine.workflow.run import LiveRun

RUN_BUCKETS = (0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 1800, 3600, 21600, 86400)
STEP_BUCKETS = (0.001, 0.005, 0.025, 0.1, 0.5, 1, 5, 15, 60, 300, 1800)
VERIFY_BUCKETS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25)
_GONE_WELL = frozenset({r.StepRan, r.StepFinished, r.StepLooped})


class Counts:
    """Counts runs, steps and messages; is a `core_engine.kernel.meters.Meter`, and sees what the journal took."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._started = Tally(
            "flowork_engine_runs_started", "Runs that were accepted", "mode", registry=registry
        )
        self._finished = Tally(
            "flowork_engine_runs_finished", "Runs that ended, by how", "status", registry=registry
        )
        self._run_seconds = Spread(
            "flowork_engine_run_duration_seconds",
            "Time from a run's acceptance to its end, waits included",
            "status",
            RUN_BUCKETS,
            registry=registry,
        )
        self._step_seconds = Spread(
            "flowork_engine_step_duration_seconds",
            "Time that attempts at steps took",
            "outcome",
            STEP_BUCKETS,
            registry=registry,
        )
        for outcome in ("success", "error"):
            self._step_seconds.show(outcome)
        self._verify_seconds = Spread(
            "flowork_engine_verify_duration_seconds",
            "Time that the check of one signed message took",
            "outcome",
            VERIFY_BUCKETS,
            registry=registry,
        )
        self._commands = Tally(
            "flowork_engine_commands",
            "Commands by outcome: ok or an error code",
            "outcome",
            registry=registry,
        )
        self._relayed = Tally(
            "flowork_engine_relay_messages",
            "Messages of pages behind the gateway",
            "direction",
            registry=registry,
        )
        for direction in ("in", "out"):
            self._relayed.add(direction, 0)  # so that it is listed from the start

    def verified(self, seconds: float, outcome: str) -> None:
        """Note the check of one signed message."""
        self._verify_seconds.add(outcome, seconds)

    def answered(self, outcome: str) -> None:
        """Note a message that was carried out or refused."""
        self._commands.add(outcome)

    def relayed(self, direction: str, count: int) -> None:
        """Note messages of pages."""
        self._relayed.add(direction, count)

    def see(self, run: LiveRun, records: Sequence[Any]) -> None:
        """Count what the journal took of a run."""
        went_well: list[float] = []
        for record in records:
            kind = type(record)
            if kind in _GONE_WELL:
                went_well.append(record.ms / 1000)
            elif kind is r.StepFailed:
                self._step_seconds.add("error", record.ms / 1000)
            elif kind is r.RunAccepted:
                self._started.add(record.mode)
            elif kind is r.RunFinished:
                self._count_end(run, record)
        self._step_seconds.add_all("success", went_well)

    def _count_end(self, run: LiveRun, record: r.RunFinished) -> None:
        self._finished.add(record.status)
        self._run_seconds.add(record.status, max(0, record.at - run.state.accepted.at) / 1000)
