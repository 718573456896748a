"""What waits for a page: in order, in batches, and never without bound."""

from __future__ import annotations

import pytest

from core_engine.gateway_link import relay_outbox
from core_engine.gateway_link.relay_frames import RelayEvent
from core_engine.gateway_link.relay_outbox import RelayOutbox


def run_event(seq: int, size: int = 100) -> RelayEvent:
    return RelayEvent("WORKFLOW_LOG_ENTRY", {}, size, "job-1", seq)


async def test_batches_keep_the_order_and_the_bounds() -> None:
    outbox = RelayOutbox()
    outbox.put([run_event(seq, 1000) for seq in range(1, 11)])
    assert [event.seq for event in await outbox.take(most=3, max_bytes=10_000)] == [1, 2, 3]
    assert [event.seq for event in await outbox.take(most=100, max_bytes=2500)] == [4, 5]
    assert [event.seq for event in await outbox.take(most=100, max_bytes=10)] == [6], "one always goes"
    assert not outbox.empty


async def test_a_full_outbox_leaves_runs_out_from_one_event_on_but_not_answers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(relay_outbox, "MAX_BYTES", 1000)
    outbox = RelayOutbox()
    outbox.put([run_event(1, 700), run_event(2, 700), run_event(3, 1), RelayEvent("error", {}, 100)])
    assert outbox.lagging
    taken = await outbox.take(most=10, max_bytes=10_000)
    assert [(event.event, event.seq) for event in taken] == [("WORKFLOW_LOG_ENTRY", 1), ("error", 0)]
    outbox.clear()
    assert not outbox.lagging
