"""B3: runs of ten steps per second, journal on disk and each event delivered, beside Node-RED with the same graph."""

from __future__ import annotations

import json
import sqlite3
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import uvloop

from benchmarks import node_peers
from benchmarks.figures import MissingError, Row, Scale, beside
from benchmarks.http_load import closed_loop as closed_http
from benchmarks.http_load import request
from benchmarks.runs import Result, closed_loop, orders
from benchmarks.servers import engine
from benchmarks.workflows import adding, chain, events_of
from shared.signing.keys import WalletKey

WORK = "runs of 10 steps"
DEADLINE_SECONDS = 180
STEPS = 10
RUNS, PEER_RUNS = 3000, 5000
CONNECTIONS, WINDOW = 4, 32
HTTP_CONNECTIONS = 64

prepare = node_peers.folder


def measure(scale: Scale) -> list[Row]:
    """Return the rate with batched frames and with one frame per event, each against Node-RED's."""
    wallet = WalletKey.create()[0]
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        peer = or_missing(lambda: node_red_rate(scratch, scale))
        with engine(scratch, wallet.address) as at:
            measured = {
                batch: partial(rate, at["socket"], wallet, scale.of(RUNS), batch=batch)
                for batch in (True, False)
            }
            rates = {batch: scale.median(each) for batch, each in measured.items()}
        check_journal(scratch, 2 * scale.rounds * scale.of(RUNS))
    against = f"Node-RED {node_peers.version('node-red')} by HTTP, nothing kept"
    kinds = {True: ("batched frames", 2.5), False: ("a frame per event", 0.7)}
    return [
        beside(Row("B3", f"{WORK}, {kinds[batch][0]}", "/s", rates[batch], 0, against, kinds[batch][1]), peer)
        for batch in rates
    ]


def or_missing(measure: Callable[[], float]) -> float | MissingError:
    """Measure a peer, or tell that it cannot be had here."""
    try:
        return measure()
    except MissingError as error:
        return error


def node_red_rate(scratch: Path, scale: Scale) -> float:
    """Return Node-RED's runs a second; a part of them is run before, for its compiler."""
    with node_peers.node_red(scratch, STEPS) as url:
        posts(url, scale.of(PEER_RUNS) // 2)
        return scale.median(lambda: posts(url, scale.of(PEER_RUNS)))


def posts(url: str, count: int) -> float:
    """Return how many runs a second Node-RED answers."""
    told = uvloop.run(closed_http(url, [start_of_peer(url)] * count, HTTP_CONNECTIONS))
    check_peer(told.bodies)
    return told.rate


def start_of_peer(url: str) -> bytes:
    """Return the request that starts Node-RED's flow."""
    return request(url, "POST", {"Content-Type": "application/json"}, json.dumps({"n": 0}).encode())


def check_peer(bodies: list[bytes]) -> None:
    """Raise unless each run of Node-RED added one at each of its steps."""
    if any(json.loads(body) != {"n": STEPS} for body in set(bodies)):
        raise RuntimeError(f"Node-RED answered {set(bodies)}")


def rate(url: str, wallet: WalletKey, count: int, *, batch: bool) -> float:
    """Return our runs a second; the commands are signed beforehand."""
    made = orders(wallet, count, chain(STEPS), adding(0))
    load = closed_loop(url, made, connections=CONNECTIONS, window=WINDOW, batch=batch)
    result: Result = uvloop.run(load)
    result.check(made, events_of(STEPS))
    return count / result.seconds


def check_journal(folder: Path, expected: int) -> None:
    """Raise unless the journal on disk has each of the runs, to its end and with its result."""
    journal = sqlite3.connect(f"file:{folder / 'engine' / 'engine.db'}?mode=ro", uri=True)
    try:
        query = "SELECT status, result, count(*) FROM run GROUP BY status, result"
        found = [
            (status, json.loads(result or b"null"), count) for status, result, count in journal.execute(query)
        ]
    finally:
        journal.close()
    if [(status, count) for status, _, count in found] != [("SUCCEEDED", expected)]:
        raise RuntimeError(f"the journal has {found}, not {expected} runs that succeeded")
    if f'"n": {STEPS}' not in json.dumps(found[0][1]):
        raise RuntimeError(f"the journal's result is {found[0][1]}")
