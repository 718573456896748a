"""Runs workflows over the signed socket as fast as the engine takes them, and checks what came back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

import msgspec

from benchmarks.pace import until
from benchmarks.servers import ENGINE_ID
from benchmarks.wire import RawSocket, connect, framed
from shared.ids import new_id
from shared.signing.envelope import seal
from shared.signing.keys import WalletKey
from shared.signing.presets import sign_preset

FINAL = (b'"status":"SUCCEEDED"', b'"status":"FAILED"', b'"status":"STOPPED"', b'"type":"error"')
WAIT_SECONDS = 90.0
VITALS = "engine_status_update"  # the one event that nobody asked for


@dataclass(frozen=True, slots=True)
class Order:
    """One run to be started: its id, and the signed command as it goes over the wire."""

    run_id: str
    frame: bytes


def orders(
    wallet: WalletKey, count: int, workflow: dict[str, Any] | str, payload: dict[str, Any]
) -> list[Order]:
    """Sign so many starts of a workflow, or of a saved one by its name, each with an id of its own."""
    which = {"preset_name": workflow} if isinstance(workflow, str) else {"workflow_data": workflow}
    made = []
    for _ in range(count):
        run_id = new_id()
        command = {"type": "execute_workflow", "job_id": run_id, **which, "initial_payload": payload}
        made.append(Order(run_id, _signed(wallet, command)))
    return made


async def save(url: str, wallet: WalletKey, name: str, workflow: dict[str, Any]) -> None:
    """Save a workflow on the engine; raises RuntimeError where it is refused."""
    signature = sign_preset(wallet, workflow)
    command = {"type": "save_preset", "name": name, "workflow_data": workflow, "signature": signature}
    answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()

    def take(message: bytes) -> None:
        told = msgspec.json.decode(message)
        if told["type"] != VITALS and not answer.done():
            answer.set_result(told)

    socket = await connect(f"{url}/?engineId={ENGINE_ID}", take)
    try:
        socket.send_framed(_signed(wallet, command))
        async with asyncio.timeout(WAIT_SECONDS):
            told = await answer
    finally:
        socket.close()
    if told["type"] == "error":
        raise RuntimeError(f"the engine answered {told}")


def _signed(wallet: WalletKey, command: dict[str, Any]) -> bytes:
    return framed(seal(wallet, ENGINE_ID, command, now_ms=time.time_ns() // 1_000_000).encode())


@dataclass
class Watch:
    """What came on one connection; ``ended`` counts the ends of runs that were seen."""

    messages: list[bytes] = field(default_factory=list)
    at: list[float] = field(default_factory=list)
    ended: int = 0
    on_end: Any = None

    def take(self, message: bytes) -> None:
        """Keep a message for later, and count the ends in it."""
        self.messages.append(message)
        self.at.append(time.perf_counter())
        ends = sum(map(message.count, FINAL))
        if ends:
            self.ended += ends
            self.on_end(ends)


@dataclass
class Result:
    """How so many runs went: ``ends`` is when (perf_counter) each run's end arrived."""

    seconds: float
    events: dict[str, list[dict[str, Any]]]
    ends: dict[str, float]

    def check(self, made: Sequence[Order], events: int | None = None) -> None:
        """Raise unless each run succeeded and each of its events came once and in order; None: however many it has."""
        for order in made:
            got = self.events.get(order.run_id, [])
            numbers = [event["seq"] for event in got]
            most = len(numbers) if events is None else events
            if not numbers or numbers != list(range(1, most + 1)):
                raise RuntimeError(f"a run's events are {numbers[:60]}, not 1 to {most}: {got[-1:]}")
            status = got[-1]["status_data"]["status"]
            if status != "SUCCEEDED":
                raise RuntimeError(f"a run {status}: {got[-1]}")


async def closed_loop(  # noqa: PLR0913 - keywords only
    url: str,
    made: Sequence[Order],
    *,
    connections: int,
    window: int,
    batch: bool,
    seconds: float = WAIT_SECONDS,
) -> Result:
    """Start runs on some connections, ``window`` at a time on each, and wait for the last event of the last run."""
    async with AsyncExitStack() as stack:
        watches = [Watch() for _ in range(connections)]
        sockets = [await _connect(stack, url, watch, batch=batch) for watch in watches]
        shares = [iter(made[place::connections]) for place in range(connections)]
        done = asyncio.Event()

        def more(place: int, count: int) -> None:
            for _ in range(count):
                order = next(shares[place], None)
                if order is None:
                    break
                sockets[place].send_framed(order.frame)
            if sum(watch.ended for watch in watches) >= len(made):
                done.set()

        started = time.perf_counter()
        for place, watch in enumerate(watches):
            watch.on_end = lambda ends, place=place: more(place, ends)
            more(place, window)
        await _wait(done, sockets, seconds)
        return _result(time.perf_counter() - started, watches)


async def open_loop(
    url: str, made: Sequence[Order], *, connections: int, per_second: float, batch: bool
) -> tuple[Result, list[float]]:
    """Start runs at a steady rate, whatever the engine does; return also each run's seconds from due to end."""
    async with AsyncExitStack() as stack:
        watches = [Watch() for _ in range(connections)]
        sockets = [await _connect(stack, url, watch, batch=batch) for watch in watches]
        done = asyncio.Event()

        def ended(_count: int) -> None:
            if sum(watch.ended for watch in watches) >= len(made):
                done.set()

        for watch in watches:
            watch.on_end = ended
        started = time.perf_counter()
        due = {}
        for place, order in enumerate(made):
            due[order.run_id] = at = started + place / per_second
            await until(at)
            sockets[place % connections].send_framed(order.frame)
        await _wait(done, sockets)
        result = _result(time.perf_counter() - started, watches)
        return result, [result.ends[run_id] - at for run_id, at in due.items() if run_id in result.ends]


async def _connect(stack: AsyncExitStack, url: str, watch: Watch, *, batch: bool) -> RawSocket:
    query = f"engineId={ENGINE_ID}" + ("&frames=batch" if batch else "")
    socket = await connect(f"{url}/?{query}", watch.take)
    stack.callback(socket.close)
    return socket


async def _wait(done: asyncio.Event, sockets: Sequence[RawSocket], seconds: float = WAIT_SECONDS) -> None:
    waiting = asyncio.create_task(done.wait(), name="load")
    ends: list[asyncio.Future[Any]] = [waiting, *(socket.gone for socket in sockets)]
    async with asyncio.timeout(seconds):
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    if not done.is_set():
        waiting.cancel()
        raise RuntimeError(next(socket.gone.result() for socket in sockets if socket.gone.done()))


def _result(seconds: float, watches: Sequence[Watch]) -> Result:
    events: dict[str, list[dict[str, Any]]] = {}
    ends: dict[str, float] = {}
    for watch in watches:
        for message, at in zip(watch.messages, watch.at, strict=True):
            read = msgspec.json.decode(message)
            for frame in read["frames"] if read["type"] == "batch" else (read,):
                if frame["type"] == "error":
                    raise RuntimeError(f"the engine answered {frame}")
                if frame["type"] == VITALS:
                    continue
                events.setdefault(frame["job_id"], []).append(frame)
                if frame["type"] == "workflow_status_update" and frame["status_data"]["status"] != "RUNNING":
                    ends[frame["job_id"]] = at
    return Result(seconds, events, ends)
