"""A front's search for the process that leads, over what the database says of it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import pytest

from core_engine.fronts.channel import NetworkChannel, meet_front
from core_engine.fronts.courier import Courier
from core_engine.fronts.link import LeaderLink
from core_engine.fronts.places import KEY, Place
from core_engine.fronts.sealing import LinkKey
from core_engine.kernel.meters import Uncounted
from core_engine.storage import EngineStore
from shared.signing.envelope import EnvelopeVerifier
from shared.signing.replay import UncheckedReplays
from tests.core_engine.engine import CLOCK, ENGINE_ID
from tests.support.tcp import serving

LINK_KEY = LinkKey(b"k" * 32, ENGINE_ID)


@pytest.mark.parametrize("place", [Place(1, "no..host", 8766), Place(1, "127.0.0.1", 99_999)])
async def test_a_place_that_cannot_be_does_not_end_the_search(
    tmp_path: Path, place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    store = EngineStore.open(tmp_path)
    courier = Courier(
        EnvelopeVerifier(ENGINE_ID, "documented", UncheckedReplays()), Uncounted(), CLOCK, hold_seconds=60
    )
    come: asyncio.Future[NetworkChannel] = asyncio.get_running_loop().create_future()

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        come.set_result(await meet_front(reader, writer, LINK_KEY, 2, 4096))

    await store.put(KEY, msgspec.json.encode(place))
    seeking = asyncio.create_task(LeaderLink(store, LINK_KEY, courier, 60.0).seek())
    try:
        async with asyncio.timeout(30), serving(meet) as port:
            while not any("reason" in vars(item) for item in caplog.records):  # noqa: ASYNC110 - nothing tells it
                await asyncio.sleep(0.01)
            right = Place(2, "127.0.0.1", port)
            await store.put(KEY, msgspec.json.encode(right))
            channel = await come
            assert await channel.receive()
            channel.close()
    finally:
        seeking.cancel()
        await asyncio.gather(seeking, return_exceptions=True)
        store.close()
