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
        "workflow.test_loops", "workflow.test_parking",
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

BY_DEFAULT: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "workflow.test_flow": frozenset({"test_a_node_that_runs_always_is_told_why_nothing_came"}),
        "workflow.test_laps": frozenset({"test_each_iteration_has_a_key_of_its_own_and_retries_keep_it"}),
        "workflow.test_loops": frozenset(
            {
                "test_each_item_has_a_linked_run_and_the_results_come_in_order",
                "test_the_first_failure_stops_the_loop",
                "test_on_error_continue_runs_all_and_names_the_failed",
                "test_a_stop_reaches_every_run_of_the_family",
                "test_a_pause_reaches_the_items_and_a_resume_too",
            }
        ),
        "workflow.test_service": frozenset(
            {
                "test_a_timeout_interrupts_an_async_step",
                "test_a_timeout_of_a_step_that_must_not_repeat_leaves_its_outcome_unknown",
                "test_error_port_handles_a_raised_error",
                "test_join_any_runs_once_at_the_first",
                "test_pause_lets_running_steps_finish_and_starts_none",
                "test_popups_and_lines_come_between_start_and_end_of_their_step",
                "test_retries_are_visible_and_end_in_success",
                "test_simulation_has_no_effect",
                "test_stop_interrupts_and_answers_with_the_final_status",
            }
        ),
        "workflow.test_subflows": frozenset({"test_a_sub_workflow_gives_its_result_and_is_linked"}),
        "workflow.test_usage": frozenset({"test_the_sums_are_told_live_and_read_the_same_after_a_restart"}),
        "workflow.test_waits": frozenset({"test_a_run_waits_for_a_person_and_goes_the_way_they_say"}),
        "commands.test_run": frozenset(
            {"test_pause_and_resume", "test_stop_is_answered_with_the_final_status_in_its_place"}
        ),
        "commands.test_variable": frozenset({"test_log_lines_of_steps_are_masked_in_every_spelling"}),
    }
)
"""Of each module the tests that always run on workers too: each behaviour once."""

_FILES = "copies, damages or looks into the files of the embedded store"
NOT_ON_POSTGRES: Mapping[str, str] = MappingProxyType(
    dict.fromkeys(
        (
            "test_a_crash_after_the_answer_follows_the_policy",
            "test_a88_a_ciphertext_opens_only_under_its_own_name_and_owner",
            "test_a_damaged_one_is_held_when_it_is_asked_for",
            "test_a_secret_is_encrypted_never_listed_and_usable",
            "test_another_key_opens_nothing_and_the_setting_stands_for_the_file",
            "test_answers_at_any_moment_of_the_parking_lose_nothing",
            "test_killed_while_it_waits_it_still_waits_and_nothing_runs_twice",
            "test_large_payloads_live_in_files_and_are_read_back",
        ),
        _FILES,
    )
)
"""Tests of the suite that hold on files only, each with the reason."""

_THREADS = "looks at what only steps in the engine's own process have: its threads, its tasks"
_TIMES = "its times are shorter than the way to a worker"
_MANY = "has hundreds of steps at once, which takes long on workers and shows nothing more"
_GOES_ON = "a step at a worker goes on while its engine is restarted: workers/test_same_as_embedded.py"
_SHORT = "counts the journal's records of short steps; those of long ones are others"
_AGAIN = "begins one run many times over, on journals of its own; workers know the run from the time before"
NOT_ON_WORKERS: Mapping[str, str] = MappingProxyType(
    {
        "test_cut_at_every_record_a_pin_is_used_once": _AGAIN,
        "test_cut_at_every_record_after_the_seeds_the_rerun_reaches_its_end": _AGAIN,
        "test_cut_at_every_record_it_still_asks_and_reaches_the_same_end": _AGAIN,
        "test_cut_at_every_record_the_event_is_taken_once": _AGAIN,
        "test_cut_at_every_record_the_run_stops_and_goes_on_as_before": _AGAIN,
        "test_a_deadline_in_the_final_part_of_a_good_run_fails_it": _TIMES,
        "test_the_time_of_a_join_goes_on_while_the_engine_is_down": _GOES_ON,
        "test_an_alarm_is_told_again_after_a_restart_but_not_raised_again": _GOES_ON,
        "test_late_and_stuck_are_told_once_each": _TIMES,
        "test_a_coroutine_that_cancels_itself_fails_its_step": _THREADS,
        "test_a_flood_from_a_thread_is_bounded": _THREADS,
        "test_a_join_goes_on_without_what_is_late": _TIMES,
        "test_a_thousand_that_wait_are_not_in_memory": _MANY,
        "test_the_context_tells_who_runs": _THREADS,
        "test_what_a_round_left_at_a_breakpoint_is_not_there_in_the_next": _SHORT,
        "test_a_long_inline_chain_lets_others_have_their_turn": _MANY,
        "test_a_plain_component_that_returns_a_coroutine_fails_its_step": _THREADS,
        "test_a_queued_thread_step_that_was_stopped_is_never_called": _THREADS,
        "test_a_stopped_thread_is_abandoned_and_its_result_refused": _THREADS,
        "test_a_thread_that_exits_fails_its_step_only": _THREADS,
        "test_lines_from_foreign_threads_all_arrive_before_the_end": _THREADS,
        "test_one_sink_gets_the_events_of_many_runs_in_few_calls": _MANY,
        "test_popups_are_limited_per_run_and_must_be_json": _THREADS,
        "test_progress_is_told_and_children_can_be_followed": _MANY,
        "test_texts_are_cleaned_cut_and_given_a_known_level": _THREADS,
        "test_thread_steps_run_beside_the_loop_and_log": _THREADS,
        "test_what_cannot_go_on_fails": _THREADS,
        "test_what_is_written_after_the_step_is_dropped": _THREADS,
    }
)
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
