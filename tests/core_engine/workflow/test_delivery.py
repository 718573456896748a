"""Who gets which events, when, and in how many calls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from core_engine.workflow.delivery import Delivery


def frames(first: int, last: int) -> list[dict[str, Any]]:
    return [{"seq": seq} for seq in range(first, last + 1)]


class Sink:
    def __init__(self) -> None:
        self.got: list[int] = []
        self.calls = 0

    def __call__(self, given: Sequence[dict[str, Any]]) -> None:
        self.calls += 1
        self.got += [frame["seq"] for frame in given]


def test_one_call_per_sink_and_turn():
    delivery, one, other = Delivery(), Sink(), Sink()
    delivery.follow("a", one, 1, live=True)
    delivery.follow("b", one, 1, live=True)
    delivery.follow("b", other, 3, live=True)
    delivery.publish([("a", frames(1, 2)), ("b", frames(1, 4)), ("c", frames(1, 9))])
    assert (one.got, one.calls) == ([1, 2, 1, 2, 3, 4], 1)
    assert (other.got, other.calls) == ([3, 4], 1)
    delivery.publish([("b", frames(1, 4))])
    assert (one.calls, other.calls) == (1, 1)


def test_what_happens_during_the_past_is_held_back_and_comes_after_it():
    delivery, sink = Delivery(), Sink()
    subscription = delivery.follow("a", sink, 1, live=False)
    delivery.publish([("a", frames(5, 6))])
    delivery.give(subscription, frames(1, 5))
    delivery.publish([("a", frames(7, 7))])
    assert sink.got == [1, 2, 3, 4, 5]
    assert delivery.go_live(subscription)
    delivery.publish([("a", frames(8, 8))])
    assert sink.got == list(range(1, 9))


def test_too_much_held_back_is_read_again_from_the_journal():
    delivery, sink = Delivery(), Sink()
    subscription = delivery.follow("a", sink, 1, live=False)
    delivery.publish([("a", frames(1, 20_001))])
    delivery.give(subscription, frames(1, 10))
    assert not delivery.go_live(subscription)
    delivery.give(subscription, frames(1, 20_001))
    assert delivery.go_live(subscription)
    assert sink.got == list(range(1, 20_002))


def test_following_again_replaces_the_earlier_subscription():
    delivery, sink = Delivery(), Sink()
    first = delivery.follow("a", sink, 1, live=True)
    second = delivery.follow("a", sink, 2, live=True)
    assert first.closed
    delivery.drop(first)
    delivery.publish([("a", frames(1, 3))])
    assert sink.got == [2, 3]
    assert delivery.follows("a", sink)
    delivery.drop(second)
    delivery.drop(second)
    assert not delivery.follows("a", sink)
    assert "a" not in delivery.followed


def test_a_lost_sink_leaves_every_run():
    delivery, lost, stays = Delivery(), Sink(), Sink()
    subscription = delivery.follow("a", lost, 1, live=False)
    delivery.follow("b", lost, 1, live=True)
    delivery.follow("b", stays, 1, live=True)
    delivery.drop_sink(lost)
    delivery.drop_sink(lost)
    delivery.give(subscription, frames(1, 3))
    delivery.publish([("a", frames(1, 1)), ("b", frames(1, 1))])
    assert (lost.got, stays.got) == ([], [1])
    assert not delivery.follows("a", lost)


def test_an_ended_run_is_forgotten_except_by_who_still_reads_its_past():
    delivery, live, late = Delivery(), Sink(), Sink()
    delivery.follow("a", live, 1, live=True)
    subscription = delivery.follow("a", late, 1, live=False)
    delivery.publish([("a", frames(1, 2))])
    delivery.drop_run("a")
    assert not delivery.follows("a", live)
    delivery.give(subscription, frames(1, 1))
    assert delivery.go_live(subscription)
    delivery.drop(subscription)
    assert late.got == [1, 2]
    assert "a" not in delivery.followed


def test_a_failing_sink_is_dropped_and_the_others_are_served(caplog):
    delivery, sink = Delivery(), Sink()

    def broken(_frames: Sequence[dict[str, Any]]) -> None:
        raise OSError("gone")

    delivery.follow("a", broken, 1, live=True)
    delivery.follow("a", sink, 1, live=True)
    delivery.publish([("a", frames(1, 1))])
    delivery.publish([("a", frames(2, 2))])
    assert sink.got == [1, 2]
    assert not delivery.follows("a", broken)
    assert len(caplog.records) == 1


def test_long_pasts_come_in_pieces():
    delivery, sink = Delivery(), Sink()
    subscription = delivery.follow("a", sink, 11, live=False)
    delivery.give(subscription, frames(1, 2000))
    assert sink.got == list(range(11, 2001))
    assert sink.calls == 4


@given(st.lists(st.integers(1, 6), min_size=1, max_size=12), st.data())
def test_whenever_a_sink_joins_it_gets_each_event_after_its_point_once(sizes: list[int], data: st.DataObject):
    """Events are synced in groups, then published; the journal a late sink reads may be ahead of what is published."""
    delivery, sink = Delivery(), Sink()
    ends = [sum(sizes[: n + 1]) for n in range(len(sizes))]
    joins_at = data.draw(st.integers(0, len(sizes) - 1))
    after = data.draw(st.integers(0, ends[-1]))
    reads_at = data.draw(st.integers(joins_at, len(sizes) - 1))
    ahead = data.draw(st.integers(reads_at, len(sizes)))
    live_at = data.draw(st.integers(reads_at, len(sizes) - 1))
    subscription = None
    for turn, end in enumerate(ends):
        if turn == joins_at:
            subscription = delivery.follow("a", sink, after + 1, live=False)
        if subscription and turn == reads_at:
            delivery.give(subscription, frames(1, ends[ahead - 1] if ahead else 0))
        if subscription and turn == live_at:
            assert delivery.go_live(subscription)
        delivery.publish([("a", frames(end - sizes[turn] + 1, end))])
    assert sink.got == list(range(after + 1, ends[-1] + 1))
