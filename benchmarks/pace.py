"""Keeps a steady pace: waits for moments, which a sleep alone would miss by a millisecond or more."""

from __future__ import annotations

import asyncio
import time

_NEAR = 0.002


async def until(moment: float) -> None:
    """Wait for a moment of `time.perf_counter`; others get their turns meanwhile."""
    while (left := moment - time.perf_counter()) > 0:  # noqa: ASYNC110 - the clock gives no event
        await asyncio.sleep(left - _NEAR if left > _NEAR else 0)
