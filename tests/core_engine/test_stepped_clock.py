"""A wall clock stepped by a day while an engine runs: timers, starts by time and signatures each keep their word."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from core_engine.kernel.ports import StartRun
from shared.signing.envelope import seal
from shared.signing.keys import WalletKey
from tests.core_engine.engine import ENGINE_ID, OTHER, OWNER, Talker, talker
from tests.core_engine.triggers.desk import (
    OWNER_ADDRESS,
    engine,
    flow,
    given,
    node,
    quick,
    rule,
    runs,
    save,
    until,
)

START = 1_700_000_000_000  # 22:13:20 UTC
DAY = 86_400_000
HOUR = 3_600_000
FIRST = START - START % HOUR + HOUR


class SteppedClock:
    """Shows a wall time that goes on and can be set; its monotonic time is the machine's."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self.step_ms = 0

    def now_ms(self) -> int:
        return self.honest_ms() + self.step_ms

    def honest_ms(self) -> int:
        """What the clocks of everybody else show."""
        return START + int((time.monotonic() - self._began) * 1000)

    def monotonic(self) -> float:
        return time.monotonic()


async def verdict(client: Talker, at_ms: int, *, signer: WalletKey = OWNER) -> str:
    """How the engine takes a message signed at that time: its error code, or what it answers."""
    frame = seal(signer, ENGINE_ID, {"type": "list_runs"}, now_ms=at_ms)
    await client.socket.send(frame.replace(signer.address, OWNER.address))
    answer = await client.until(lambda event: event["type"] in {"error", "runs_list_response"})
    return str(answer.get("code") or answer["type"])


async def begin(of: Any, run_id: str, seconds: float) -> None:
    await of.runs.start(StartRun(run_id, flow(node("wait", "delay", seconds=seconds)), OWNER_ADDRESS))
    await until(lambda: of.runs.summary(run_id).status == "RUNNING")


async def starts(of: Any) -> list[Any]:
    """The runs that were started by time."""
    return [run for run in await runs(of) if run.origin.startswith("trigger:")]


async def test_a_clock_stepped_by_a_day_forward_and_back(tmp_path: Path) -> None:
    clock = SteppedClock()
    async with engine(tmp_path, clock) as of, talker(of) as client:
        await save(of, "flow", quick())
        made = await rule(of, "cron", config={"cron_string": "0 * * * *", "missed": "run_once"})
        await of.triggers.scheduler.turn()
        await begin(of, "long", 3600)
        assert await verdict(client, clock.honest_ms()) == "runs_list_response"

        clock.step_ms = DAY
        await of.triggers.scheduler.turn()
        (made_up,) = await until(lambda: starts(of))
        assert (await given(of, made_up.job_id))["due"] == "2023-11-14T23:00:00.000Z"
        assert of.triggers.counts.of(made.id).missed == 24
        assert of.triggers.scheduler.next_run(made.id) == FIRST + DAY
        assert await verdict(client, clock.honest_ms()) == "STALE"
        assert await verdict(client, clock.now_ms(), signer=OTHER) == "BAD_SIGNATURE"

        clock.step_ms = 0
        await of.triggers.scheduler.turn()
        assert of.triggers.scheduler.next_run(made.id) == FIRST
        assert await verdict(client, clock.honest_ms()) == "runs_list_response"

        await begin(of, "short", 1)
        clock.step_ms = -DAY
        await of.triggers.scheduler.turn()
        assert of.triggers.scheduler.next_run(made.id) == FIRST - DAY
        assert await verdict(client, clock.honest_ms()) == "STALE"
        assert await verdict(client, clock.now_ms(), signer=OTHER) == "BAD_SIGNATURE"
        await until(lambda: of.runs.summary("short").status.final)
        assert of.runs.summary("short").status == "SUCCEEDED"
        assert of.runs.summary("long").status == "RUNNING"
        assert len(await starts(of)) == 1
