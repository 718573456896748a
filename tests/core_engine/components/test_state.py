"""The state of components: exactly once, bounded, lasting, and harmless to the journal."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from core_engine.components import state as module
from core_engine.components.records import MISSING
from core_engine.components.state import MOST_BYTES, Change, ComponentState, Place, place_of
from core_engine.storage import EngineStore
from shared.clock import ManualClock
from shared.errors import ErrorCode, FloworkError

PLACE = Place("state preset Mine", "n")


def plus_one(old) -> Change:
    number = 1 if old is MISSING else old + 1
    return Change(number, {"was": None if old is MISSING else old})


def mark(number: int) -> bytes:
    return number.to_bytes(32, "big")


def test_a_repeated_key_gets_the_first_result_and_changes_nothing(state) -> None:
    assert state.change(PLACE, "a", plus_one) == {"was": None}
    assert state.change(PLACE, "b", plus_one) == {"was": 1}
    assert state.change(PLACE, "a", plus_one) == {"was": None}
    assert state.get(PLACE) == 2


def test_a_late_repeat_does_not_bring_an_old_value_back(state) -> None:
    state.change(PLACE, "old", lambda _: Change("old", None))
    state.change(PLACE, "new", lambda _: Change("new", None))
    state.change(PLACE, "old", lambda _: Change("old", None))
    assert state.get(PLACE) == "new"


def test_values_and_their_keys_last_over_a_restart(tmp_path) -> None:
    for expected in ({"was": None}, {"was": None}):
        store = EngineStore.open(tmp_path)
        kept = ComponentState(store, ManualClock())
        assert kept.change(PLACE, "a", plus_one) == expected
        assert kept.get(PLACE) == 1
        store.close()


def test_many_threads_at_once_lose_nothing(state) -> None:
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda number: state.change(PLACE, f"k{number}", plus_one), range(100)))
    assert sorted(result["was"] or 0 for result in results) == list(range(100))
    assert state.get(PLACE) == 100


def test_a_mistake_in_a_change_undoes_it_and_harms_nobody_else(state) -> None:
    def fall(_old):
        raise ZeroDivisionError("of ours")

    with pytest.raises(ZeroDivisionError):
        state.change(PLACE, "a", fall)
    with pytest.raises(TypeError):
        state.change(PLACE, "a", lambda _: Change(object(), None))
    assert state.change(PLACE, "a", plus_one) == {"was": None}


def test_values_are_bounded_in_size_and_number(state, monkeypatch) -> None:
    state.change(PLACE, "a", lambda _: Change("x" * (MOST_BYTES - 2), None))
    with pytest.raises(FloworkError) as caught:
        state.change(PLACE, "b", lambda _: Change("x" * (MOST_BYTES - 1), None))
    assert caught.value.code is ErrorCode.TOO_LARGE
    monkeypatch.setattr(module, "MOST_VALUES", 2)
    state.change(Place("s", "2"), "c", plus_one)
    with pytest.raises(FloworkError, match="2 values already"):
        state.change(Place("s", "3"), "d", plus_one)
    state.change(Place("s", "2"), "e", plus_one)
    state.change(PLACE, "f", lambda _: Change(MISSING, None))
    assert state.change(Place("s", "3"), "d", plus_one) == {"was": None}


def test_results_are_forgotten_after_their_time(state, clock) -> None:
    state.change(PLACE, "a", plus_one)
    clock.advance(module.REMEMBERED_MS / 1000 + 1)
    state.change(PLACE, "b", plus_one)
    assert state._store.archive.query("SELECT key FROM component_effect") == [("b",)]


@pytest.mark.parametrize("name", ["", "  ", "x" * 201, "a\nb", "a\x00"])
def test_names_that_cannot_be_are_refused(step, name: str) -> None:
    with pytest.raises(FloworkError) as caught:
        place_of(step, "state", "workflow", name)
    assert caught.value.code is ErrorCode.INVALID_REQUEST


def test_workflows_and_kinds_do_not_see_each_other(step) -> None:
    mine = place_of(step, "state", "workflow", "größe")
    shared = place_of(step, "state", "engine", "größe")
    step.workflow = "preset Other"
    places = {
        mine,
        shared,
        place_of(step, "state", "workflow", "größe"),
        place_of(step, "counter", "engine", "größe"),
    }
    assert len(places) == 4
    assert place_of(step, "state", "engine", "größe") == shared


def test_marks_are_new_once_and_again_for_the_same_step(state) -> None:
    keep = (1000, 100)
    assert state.unseen(PLACE, "a", [mark(1), mark(2), mark(1)], keep) == [True, True, False]
    assert state.peek_unseen(PLACE, [mark(1), mark(3), mark(3)]) == [False, True, False]
    assert state.unseen(PLACE, "b", [mark(2), mark(3)], keep) == [False, True]
    assert state.unseen(PLACE, "a", [mark(1), mark(2), mark(1)], keep) == [True, True, False]
    assert state.unseen(Place("other", "n"), "b", [mark(1)], keep) == [True]
    assert state.unseen(PLACE, "c", [], keep) == []


def test_marks_are_forgotten_after_their_time_and_beyond_their_number(state, clock) -> None:
    assert state.unseen(PLACE, "a", [mark(1)], (10_000, 3)) == [True]
    clock.advance(5)
    assert state.unseen(PLACE, "b", [mark(2), mark(3), mark(4)], (10_000, 3)) == [True] * 3
    assert state.peek_unseen(PLACE, [mark(1), mark(2)]) == [True, False]
    clock.advance(10)
    assert state.peek_unseen(PLACE, [mark(2)]) == [True]
    assert state.unseen(PLACE, "c", [mark(2)], (10_000, 3)) == [True]
    assert state._store.archive.query("SELECT count(*) FROM component_seen") == [(1,)]


def test_many_marks_at_once_are_held_but_bounded(state) -> None:
    marks = [mark(number) for number in range(20_000)]
    assert all(state.unseen(PLACE, "a", marks, (60_000, 100_000)))
    assert not any(state.peek_unseen(PLACE, marks))
    with pytest.raises(FloworkError) as caught:
        state.unseen(PLACE, "b", [mark(0)] * (module.MOST_MARKS + 1), (1, 1))
    assert caught.value.code is ErrorCode.TOO_LARGE


async def test_a_store_that_is_closed_does_not_keep_a_step_for_ever(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(module, "_PATIENCE", 0.05)
    store = EngineStore.open(tmp_path)
    kept = ComponentState(store, ManualClock())
    await asyncio.to_thread(store.close)
    with pytest.raises(FloworkError) as caught:
        await asyncio.to_thread(kept.change, PLACE, "a", plus_one)
    assert caught.value.code is ErrorCode.DEADLINE_EXCEEDED
