"""A run whose history is larger than a connection's outbox can be followed from its first event."""

from __future__ import annotations

import asyncio
from pathlib import Path

from core_engine.kernel.ports import StartRun
from tests.core_engine.engine import OWNER, chain, engine, talker


async def test_a_long_history_comes_whole_through_a_small_outbox(tmp_path: Path) -> None:
    async with engine(tmp_path, ENGINE_OUTBOX_BYTES=str(64 * 1024)) as running:
        job_id = "11111111-1111-4111-8111-111111111111"
        request = StartRun(job_id, chain(500), started_by=OWNER.address.lower())
        await running.runs.start(request)  # without a follower, whose outbox would overflow
        async with asyncio.timeout(30):
            while running.runs.open_runs:  # noqa: ASYNC110 - nobody follows it
                await asyncio.sleep(0.02)
        details = await running.runs.details(job_id)
        async with talker(running) as client:
            await client.ask("subscribe_run", job_id=job_id)
            await client.finish(job_id)
            seqs = [
                frame["seq"] for frame in client.frames if frame.get("job_id") == job_id and "seq" in frame
            ]
            assert seqs == list(range(1, details.last_seq + 1))
