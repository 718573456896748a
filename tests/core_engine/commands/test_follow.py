"""Events on one connection: in order, once, with direct answers in their place."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from core_engine.commands import follow as module
from core_engine.commands.follow import Follows


def event(seq: int, run: str = "r") -> dict[str, Any]:
    return {"type": "log", "job_id": run, "seq": seq}


def answer(seq: int, run: str = "r") -> dict[str, Any]:
    return {"type": "workflow_status_update", "job_id": run, "seq": seq, "request_id": "q"}


def follows() -> tuple[Follows, list[dict[str, Any]]]:
    told: list[dict[str, Any]] = []
    return Follows(told.extend), told


def seqs(told: list[dict[str, Any]]) -> list[int]:
    return [frame["seq"] for frame in told]


def test_events_pass_once_and_in_order() -> None:
    following, told = follows()
    following([event(1), event(2)])
    following([event(2), event(1), event(3)])
    assert seqs(told) == [1, 2, 3]


def test_runs_do_not_disturb_each_other() -> None:
    following, told = follows()
    following([event(1, "a"), event(1, "b"), event(2, "a")])
    assert len(told) == 3


def test_the_answer_to_a_start_is_the_first_event() -> None:
    following, told = follows()
    following.hold("r")
    following([event(1), event(2)])
    assert told == []
    following.settle("r", answer(1))
    assert seqs(told) == [1, 2]
    assert told[0]["request_id"] == "q"


def test_the_answer_to_a_stop_stands_after_what_came_before_it() -> None:
    following, told = follows()
    following([event(1)])
    following.hold("r")
    following([event(2), event(3), event(4)])
    following.settle("r", answer(3))
    following([event(5)])
    assert seqs(told) == [1, 2, 3, 4, 5]
    assert "request_id" in told[2]


def test_a_failed_command_lets_the_events_go() -> None:
    following, told = follows()
    following.hold("r")
    following([event(1)])
    following.settle("r", None)
    assert seqs(told) == [1]


def test_two_commands_on_one_run_are_both_answered() -> None:
    following, told = follows()
    following.hold("r")
    following.hold("r")
    following([event(1), event(2), event(3)])
    following.settle("r", answer(3))
    following.settle("r", answer(1))
    assert seqs(told) == [1, 2, 3, 1], "the second answer is a repeat, but its request is owed one"
    following([event(4)])
    assert seqs(told)[-1] == 4


def test_a_repeated_start_goes_on_from_the_state_it_was_told() -> None:
    following, told = follows()
    following.hold("r")
    following.settle("r", answer(7))
    following([event(7), event(8)])
    assert seqs(told) == [7, 8]


def test_restart_asks_for_past_events_again_and_ends_the_old_subscription() -> None:
    following, told = follows()
    ended: list[str] = []
    following.ends_with("r", lambda: ended.append("first"))
    following([event(1), event(2), event(3)])
    following.restart("r", 1)
    following([event(2), event(3)])
    assert ended == ["first"]
    assert seqs(told) == [1, 2, 3, 2, 3]
    following.restart("r", 3)
    assert ended == ["first"], "it is ended once"


def test_too_many_held_events_are_let_go(monkeypatch: Any) -> None:
    monkeypatch.setattr(module, "MAX_HELD", 3)
    following, told = follows()
    following.hold("r")
    following([event(seq) for seq in range(1, 6)])
    assert seqs(told) == [1, 2, 3, 4]
    following.settle("r", answer(2))
    assert seqs(told) == [1, 2, 3, 4, 2, 5]


def test_memory_of_runs_is_bounded(monkeypatch: Any) -> None:
    monkeypatch.setattr(module, "MAX_RUNS", 10)
    following, _ = follows()
    for number in range(100):
        following([event(1, f"run-{number}")])
    assert len(following._streams) == 10


@given(
    st.lists(st.tuples(st.sampled_from(["events", "hold", "settle", "fail"]), st.integers(1, 4)), max_size=40)
)
def test_followers_see_a_prefix_without_gap_or_repeat(steps: list[tuple[str, int]]) -> None:
    following, told = follows()
    last, holds = 0, 0
    for step, count in steps:
        if step == "events":
            following([event(last + n) for n in range(1, count + 1)])
            last += count
        elif step == "hold" and holds == 0:
            following.hold("r")
            holds = 1
        elif holds and step in {"settle", "fail"}:
            # Whoever settles answers with an event that the run has just made.
            holds = 0
            last += step == "settle"
            if step == "settle":
                following([event(last)])
            following.settle("r", answer(last) if step == "settle" else None)
    if holds:
        following.settle("r", None)
    assert seqs(told) == list(range(1, last + 1))
