"""Where steps run: the tests of what a run means, and the places where each of them is to hold.

The same tests run with the engine on files, with its journal on PostgreSQL, and with the journal there and the steps
in real worker processes (`flowork worker`, over a real Redis). By default each runs on files, what the journal has to
do with on PostgreSQL too, and each behaviour once on workers. ``FLOWORK_SUITE=workers`` runs all of them on workers,
``postgres`` all on PostgreSQL, ``all`` all everywhere.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

ENGINE, POSTGRES, WORKERS = "engine", "postgres", "workers"
HOME = "tests.core_engine."
SUITE = frozenset(
    {
        "workflow.test_aftermath", "workflow.test_breakpoints", "workflow.test_concurrency", "workflow.test_events",
        "workflow.test_flow", "workflow.test_interplay", "workflow.test_laps", "workflow.test_late_settings",
        "workflow.test_loop_recovery", "workflow.test_loops", "workflow.test_parking", "workflow.test_recovery",
        "workflow.test_rerun", "workflow.test_retention", "workflow.test_retry", "workflow.test_service",
        "workflow.test_steps", "workflow.test_subflows", "workflow.test_usage", "workflow.test_waits",
        "workflow.test_watch",
        "commands.test_approval", "commands.test_breakpoint", "commands.test_pin", "commands.test_rerun",
        "commands.test_run", "commands.test_standalone", "commands.test_variable", "commands.test_wire_fields",
    }
)  # fmt: skip
"""The modules whose tests (those that run something) say what a run means."""

JOURNAL = frozenset(
    {
        "workflow.test_aftermath", "workflow.test_events", "workflow.test_parking", "workflow.test_retention",
        "workflow.test_retry", "workflow.test_service", "workflow.test_subflows", "workflow.test_waits",
    }
)  # fmt: skip
"""Those that always run on PostgreSQL too."""

BY_DEFAULT: Mapping[str, frozenset[str]] = MappingProxyType({})
"""Of each module the tests that always run on workers too: each behaviour once."""

_FILES = "copies, damages or looks into the files of the embedded store"
NOT_ON_POSTGRES: Mapping[str, str] = MappingProxyType(
    dict.fromkeys(
        (
            "test_a_crash_after_the_answer_follows_the_policy",
            "test_a_damaged_one_is_held_when_it_is_asked_for",
            "test_answers_at_any_moment_of_the_parking_lose_nothing",
            "test_killed_while_it_waits_it_still_waits_and_nothing_runs_twice",
            "test_large_payloads_live_in_files_and_are_read_back",
        ),
        _FILES,
    )
)
"""Tests of the suite that hold on files only, each with the reason."""

NOT_ON_WORKERS: Mapping[str, str] = MappingProxyType({})
"""Tests of the suite that say nothing of workers, each with the reason."""


def places_of(module: str, name: str, function: Any) -> list[str]:
    """Return where a test is to run."""
    home = module.removeprefix(HOME)
    if home not in SUITE or not inspect.iscoroutinefunction(function):
        return []
    suite = os.environ.get("FLOWORK_SUITE", "")
    able = {
        ENGINE: True,
        POSTGRES: name not in NOT_ON_POSTGRES,
        WORKERS: name not in NOT_ON_POSTGRES and name not in NOT_ON_WORKERS,
    }
    wanted = {
        ENGINE: suite in {"", "all"},
        POSTGRES: suite in {"postgres", "all"} or (not suite and home in JOURNAL),
        WORKERS: suite in {"workers", "all"} or (not suite and name in BY_DEFAULT.get(home, ())),
    }
    return [place for place in able if able[place] and wanted[place]]
