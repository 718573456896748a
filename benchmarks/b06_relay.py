"""B6: commands from pages through the gateway to an engine and back, beside a bare python-socketio relay."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import msgspec
import uvloop

from benchmarks import node_peers
from benchmarks.b05_gateway_rest import register
from benchmarks.figures import MissingError, Row, Scale, percentile
from benchmarks.servers import gateway, server
from benchmarks.sio_wire import Namespace
from benchmarks.sockets import engine_link, page
from shared.signing.keys import WalletKey

WORK = "relays page → gateway → engine → gateway → page"
DEADLINE_SECONDS = 150
BARE = ["-m", "gunicorn", "-c", "benchmarks/bare_gunicorn.py", "benchmarks.bare_relay:app"]
PAGES, EACH = 100, 40
WAIT_SECONDS = 60.0
RECEIPT_SECONDS = 5.0
Measured = tuple[float, float]

prepare = node_peers.folder


def measure(scale: Scale) -> list[Row]:
    """Return relays a second and their 99th percentile, against the bare relay's; Node's for information."""
    wallet = WalletKey.create()[0]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        address = folder / "bare.json"
        bare = server(BARE, address, folder / "bare.log", {"BENCH_ADDRESS": str(address)})
        simple = of(bare, wallet, scale, lambda _url: ("engine", "token"))
        ours = of(gateway(folder), wallet, scale, lambda url: register(url, wallet))
        rows = [
            Row("B6", WORK, "/s", ours[0], simple[0], "bare python-socketio relay, same worker", 0.9),
            Row("B6", "p99 of a relay", "ms", ours[1], simple[1], "bare relay", 0.0, at_least=False),
        ]
        against = f"Node socket.io {node_peers.version('socket.io')}, no checks"
        try:
            node = of(
                node_peers.peer("relay_server.mjs", folder), wallet, scale, lambda _url: ("engine", "token")
            )
        except MissingError as error:
            return [*rows, Row("B6", f"the same, beside {against}", error=str(error), missing=True)]
        return [*rows, Row("B6", "the same", "/s", ours[0], node[0], against, 0.0)]


def of(
    relay: AbstractContextManager[dict[str, Any]],
    wallet: WalletKey,
    scale: Scale,
    enrol: Callable[[str], tuple[str, str]],
) -> Measured:
    """Return relays a second and the 99th percentile in ms; ``enrol`` makes an engine known, giving id and token."""
    with relay as at:
        engine_id, token = enrol(at["url"])
        rounds = [
            uvloop.run(relays(at["url"], wallet, engine_id, token, scale.of(EACH)))
            for _ in range(scale.rounds)
        ]
    return statistics.median(rate for rate, _ in rounds), statistics.median(p99 for _, p99 in rounds)


async def relays(url: str, wallet: WalletKey, engine_id: str, token: str, each: int) -> Measured:
    """Have every page ask ``each`` times, the next time when it is answered; check that each question was."""
    link = await engine_link(url, engine_id, token, echo)
    asked: dict[Namespace, tuple[int, float]] = {}
    seconds: list[float] = []
    done = asyncio.Event()

    def ask(place: Namespace, number: int) -> None:
        asked[place] = (number, time.perf_counter())
        question = {"target_engine_id": engine_id, "job_id": "job-1", "request_id": str(number)}
        place.emit("get_run", {"v": 2, "payload": question})

    def answered(place: Namespace, event: str, data: Any, _number: str) -> None:
        if event != "run_response" or place not in asked:
            return
        number, since = asked[place]
        if data["payload"]["request_id"] != str(number):
            raise RuntimeError(f"a page was answered {data} for question {number}")
        seconds.append(time.perf_counter() - since)
        if number < each:
            ask(place, number + 1)
        elif len(seconds) == PAGES * each:
            done.set()

    now_ms = time.time_ns() // 1_000_000
    pages = [await page(url, wallet, answered, now_ms=now_ms - place) for place in range(PAGES)]
    try:
        await asyncio.sleep(0.2)  # the engine is told of the pages meanwhile
        started = time.perf_counter()
        for place in pages:
            ask(place, 1)
        await until_done(done, [link, *pages])
        whole = time.perf_counter() - started
        await until_received(link, len(seconds))
    finally:
        for place in (*pages, link):
            place.socket.close()
    return len(seconds) / whole, 1000 * percentile(seconds, 0.99)


async def until_done(done: asyncio.Event, places: list[Namespace]) -> None:
    """Wait until all is answered; raises at once where a connection ends before."""
    finished: asyncio.Future[Any] = asyncio.create_task(done.wait(), name="answers")
    lost: list[asyncio.Future[Any]] = [place.socket.gone for place in places]
    await asyncio.wait([finished, *lost], timeout=WAIT_SECONDS, return_when=asyncio.FIRST_COMPLETED)
    ended = [each.result() for each in lost if each.done()]
    if ended or not done.is_set():
        finished.cancel()
        raise RuntimeError(f"{len(ended)} connections ended: {ended[0]}" if ended else "answers did not come")


async def until_received(link: Namespace, count: int) -> None:
    """Wait for the receipts of the last answers, which may still be under way."""
    try:
        async with asyncio.timeout(RECEIPT_SECONDS):
            while link.receipts < count:  # noqa: ASYNC110 - a few milliseconds
                await asyncio.sleep(0.01)
    except TimeoutError:
        raise RuntimeError(f"{count} answers and {link.receipts} receipts") from None


def echo(link: Namespace, event: str, data: Any, number: str) -> None:
    """Be an engine: answer each command at once, and have the answer acknowledged as engines do."""
    if event != "relay_command":
        return
    if number:
        link.acknowledge(number, {"ok": True})
    text = data["payload"]
    request_id = (msgspec.json.decode(text) if isinstance(text, str) else text)["request_id"]
    answer = {"v": 2, "payload": {"type": "run_response", "request_id": request_id}}
    link.ask(
        "relay_events", {"session": data["session"], "events": [{"event": "run_response", "data": answer}]}
    )
