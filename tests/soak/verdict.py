"""Looks at every run of a soak after its end: nothing acknowledged is lost, no step ran beyond its policy."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from typing import Any

from tests.soak.chaos import Chaos
from tests.soak.clients import LOST, SocketClient
from tests.soak.fuse import rightly_given_up
from tests.soak.work import FINAL, Book, Started, World
from tests.support.platform import Platform

READERS = 8
SETTLE_SECONDS = 120.0
SILENCES = 3


class Judge:
    """Asks the engine for every run that was acknowledged; ``faults`` is what is wrong, ``ends`` how runs ended.

    ``unheard`` is what became of starts without an acknowledgement, and how each try of theirs ended.
    """

    def __init__(self, platform: Platform, world: World, book: Book, chaos: Chaos) -> None:
        self.faults: list[str] = []
        self.ends: Counter[str] = Counter()
        self.unheard: Counter[str] = Counter()
        self._platform = platform
        self._world = world
        self._book = book
        self._chaos = chaos
        self._epoch = time.time() - time.monotonic()

    async def judge(self) -> None:
        self.faults += self._book.refused
        acknowledged = self._book.acknowledged
        await asyncio.gather(*(self._ask(acknowledged[first::READERS]) for first in range(READERS)))
        await self._look_for(self._book.unacknowledged)

    async def _ask(self, runs: list[Started]) -> None:
        client = SocketClient(self._platform, self._world, self._book, random.Random(0), 0)
        try:
            for run in runs:
                try:
                    answer = await self._ended(client, run)
                    failed = answer["type"] != "error" and answer["run"]["status"] == "FAILED"
                    self._judge(run, answer, await client.history(run.job_id) if failed else [])
                except LOST as error:
                    self.faults.append(f"{run.kind} {run.job_id}: cannot be asked for ({error!r})")
                    await client.hang_up()
        finally:
            await client.hang_up()

    async def _look_for(self, runs: list[Started]) -> None:
        """Find out what became of starts that nobody heard of, and how they were asked for."""
        client = SocketClient(self._platform, self._world, self._book, random.Random(0), 0)
        try:
            for run in runs:
                there = (await client.details(run.job_id))["type"] != "error"
                self.unheard["carried out" if there else "never begun"] += 1
                self.unheard.update(found.told for found in run.tries)
                self.faults += self.silences(run)
                if run.kind == "write":
                    self._count_effects(run, at_least=0)
        finally:
            await client.hang_up()

    def silences(self, run: Started) -> list[str]:
        """Return the faults of a start without acknowledgement: a command that arrived has an answer, always.

        Silence while nothing was done to any process is one where it is no single case: a busy machine may be late.
        """
        silent = [
            found for found in run.tries
            if found.sent and found.ended and found.how == "silence"
            and not self._chaos.acted_between(found.sent, found.ended)
        ]  # fmt: skip
        if len(silent) < SILENCES:
            return []
        return [
            f"{run.kind} {run.job_id}: asked {len(silent)} times on connections that held, and never answered"
        ]

    async def _ended(self, client: SocketClient, run: Started) -> dict[str, Any]:
        """Wait until a run has ended, in whatever state, or cannot be found."""
        deadline = time.monotonic() + SETTLE_SECONDS
        while True:
            answer = await client.details(run.job_id)
            if answer["type"] == "error" or answer["run"]["status"] in FINAL or time.monotonic() > deadline:
                return answer
            await asyncio.sleep(0.2)

    def _judge(self, run: Started, answer: dict[str, Any], history: list[dict[str, Any]]) -> None:
        if answer["type"] == "error":
            self.faults.append(f"{run.kind} {run.job_id}: acknowledged and lost ({answer['code']})")
            return
        status, nodes = answer["run"]["status"], {node["node_id"]: node for node in answer["nodes"]}
        unknown = [name for name, node in nodes.items() if node["status"] == "OUTCOME_UNKNOWN"]
        self.ends["OUTCOME_UNKNOWN" if unknown else status] += 1
        if run.status in FINAL and run.status != status:
            self.faults.append(f"{run.kind} {run.job_id}: told as {run.status}, is {status}")
        if status == "SUCCEEDED":
            self._count_effects(run, at_least=1)
        elif unknown and run.kind == "write":
            self._count_effects(run, at_least=0)
            if not self._chaos.killed_between(run.begun, run.ended or time.monotonic()):
                self.faults.append(f"{run.kind} {run.job_id}: unknown outcome although nothing was killed")
        elif rightly_given_up(history, self._chaos.acts, self._epoch):
            self._count_effects(run, at_least=0)
        else:
            errors = [node["error"] for node in nodes.values() if node.get("error")]
            self.faults.append(f"{run.kind} {run.job_id}: ended as {status}: {errors}")

    def _count_effects(self, run: Started, *, at_least: int) -> None:
        hits = self._world.hits[run.effect or run.job_id]
        if run.kind == "write" and not at_least <= hits <= 1:
            self.faults.append(f"write {run.job_id}: its effect happened {hits} times")
        if run.kind == "read":
            deaths = sum(
                self._chaos.killed_between(act.begun, act.ended)
                for act in self._chaos.acts
                if act.begun <= (run.ended or time.monotonic()) and act.ended >= run.begun
            )
            if not at_least <= hits <= 1 + deaths:
                self.faults.append(f"read {run.job_id}: it was sent {hits} times, with {deaths} kills")
