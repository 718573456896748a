"""The outbox: order, bounds, batches, and frames that cannot be written."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core_engine.transport import outbox as module
from core_engine.transport.outbox import Outbox, portions
from shared.contract import catalog


def outbox(max_bytes: int = 1_000_000, *, batch: bool = False) -> tuple[Outbox, list[str]]:
    dropped: list[str] = []
    return Outbox(max_bytes=max_bytes, batch=batch, on_overflow=lambda: dropped.append("dropped")), dropped


async def test_frames_of_a_tick_come_out_in_order_as_single_messages() -> None:
    box, _ = outbox()
    box.put([{"n": 1}, {"n": 2}])
    box.put([{"n": 3}])
    assert [json.loads(data) for data in await box.take()] == [{"n": 1}, {"n": 2}, {"n": 3}]


async def test_take_waits_for_frames() -> None:
    box, _ = outbox()
    taking = asyncio.create_task(box.take())
    await asyncio.sleep(0)
    assert not taking.done()
    box.put([{"n": 1}])
    assert await taking == [b'{"n":1}']


async def test_a_batch_is_one_message_and_a_lone_frame_is_none() -> None:
    box, _ = outbox(batch=True)
    box.put([{"n": 1}, {"n": 2}])
    (data,) = await box.take()
    assert json.loads(data) == {"type": "batch", "frames": [{"n": 1}, {"n": 2}]}
    box.put([{"n": 3}])
    assert await box.take() == [b'{"n":3}']


async def test_batches_have_a_bounded_size() -> None:
    box, _ = outbox(100_000_000, batch=True)
    frames = [{"n": n, "text": "x" * 1000} for n in range(1000)]
    box.put([*frames, {"n": 1000, "text": "y" * 2 * module.BATCH_BYTES}])
    taken = [json.loads(data) for data in await box.take()]
    numbers = [frame["n"] for item in taken for frame in item.get("frames", [item])]
    assert numbers == list(range(1001))
    assert len(taken) > 3
    assert all(len(json.dumps(item)) < module.BATCH_BYTES * 1.1 for item in taken[:-1])


async def test_unsent_bytes_beyond_the_limit_drop_the_reader_once() -> None:
    box, dropped = outbox(100)
    box.put([{"text": "x" * 60}])
    taken = await box.take()
    assert box.unsent_bytes == len(taken[0]), "bytes being sent still count"
    box.put([{"text": "y" * 60}])
    box.put([{"text": "z"}])
    assert dropped == ["dropped"]
    assert await box.take() == []


async def test_sent_bytes_make_room() -> None:
    box, dropped = outbox(100)
    for _ in range(10):
        box.put([{"text": "x" * 60}])
        for data in await box.take():
            box.sent(len(data))
    assert dropped == []
    assert box.unsent_bytes == 0


async def test_one_frame_larger_than_the_limit_passes_when_nothing_waits() -> None:
    box, dropped = outbox(100)
    box.put([{"text": "x" * 1000}])
    assert len(await box.take()) == 1
    assert dropped == []


async def test_too_many_frames_drop_the_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_FRAMES", 3)
    box, dropped = outbox()
    box.put([{"n": n} for n in range(4)])
    assert dropped == ["dropped"]


@pytest.mark.parametrize("content", [object(), "\ud800", {"deep": [object()]}])
async def test_a_frame_that_is_no_json_becomes_an_error_frame(content: Any) -> None:
    box, _ = outbox()
    box.put([{"type": "SHOW_DEBUG_POPUP", "job_id": "run-1", "content": content}, {"n": 2}])
    first, second = (json.loads(data) for data in await box.take())
    catalog.events()["error"].model_validate(first)
    assert first["code"] == "INTERNAL"
    assert first["job_id"] == "run-1"
    assert second == {"n": 2}


@given(st.lists(st.lists(st.text(max_size=30), max_size=5), max_size=20), st.booleans())
@settings(max_examples=60, deadline=None)
def test_every_frame_arrives_once_and_in_order(ticks: list[list[str]], batch: bool) -> None:
    async def run() -> list[str]:
        box, _ = outbox(batch=batch)
        found: list[str] = []
        for tick in ticks:
            box.put([{"text": text} for text in tick])
            if tick:
                for data in await box.take():
                    item = json.loads(data)
                    found += [frame["text"] for frame in item.get("frames", [item])]
        return found

    assert asyncio.run(run()) == [text for tick in ticks for text in tick]


async def test_who_has_much_to_send_waits_until_half_of_the_room_is_free() -> None:
    box, dropped = outbox(1000)
    box.put([{"n": "x" * 400}])
    await box.has_room()
    box.put([{"n": "x" * 400}])
    waiting = asyncio.create_task(box.has_room())
    await asyncio.sleep(0)
    assert not waiting.done()
    for data in await box.take():
        box.sent(len(data))
    await waiting
    box.put([{"n": "x" * 600}])
    waiting = asyncio.create_task(box.has_room())
    await asyncio.sleep(0)
    box.close()
    await waiting
    assert not dropped


def test_portions_keep_the_order_and_their_bound() -> None:
    messages = [b"a" * 4, b"b" * 4, b"c" * 30, b"d", b"e"]
    groups = portions(messages, 10)
    assert groups == [[b"aaaa", b"bbbb"], [b"c" * 30], [b"d", b"e"]]
    assert portions([], 10) == []
