"""The signs of life on a channel."""

from __future__ import annotations

import asyncio

from core_engine.fronts.channel import Channel
from core_engine.fronts.records import Beat, encode

BEATS_PER_SILENCE = 5


async def beat(channel: Channel, silence_seconds: float) -> None:
    """Send a sign of life again and again, so often that losing a few is no silence."""
    while True:
        channel.post(encode(Beat()))
        await asyncio.sleep(silence_seconds / BEATS_PER_SILENCE)
