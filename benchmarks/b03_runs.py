"""B3: runs of ten steps per second, journal on disk and each event delivered, beside Node-RED with the same graph."""

from __future__ import annotations

import json
import sqlite3
import tempfile
from contextlib import ExitStack
from enum import Enum
from functools import partial
from pathlib import Path
from typing import Any

import uvloop

from benchmarks import node_peers
from benchmarks.figures import MissingError, Row, Scale, beside
from benchmarks.http_load import closed_loop as closed_http
from benchmarks.http_load import request
from benchmarks.runs import Result, closed_loop, orders, save
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


SAVED = "Ten steps"


class Kind(Enum):
    """What is measured in turn: a saved workflow, as Node-RED's is; or one that each message brings along."""

    BATCHED = "saved, batched frames"
    SINGLE = "saved, a frame per event"
    BROUGHT_BATCHED = "the workflow in each message, batched frames"
    BROUGHT = "the workflow in each message, a frame per event"
    PEER = "Node-RED"


OURS: dict[Kind, tuple[dict[str, Any] | str, bool, float]] = {
    Kind.BATCHED: (SAVED, True, 2.5),
    Kind.SINGLE: (SAVED, False, 0.7),
    Kind.BROUGHT_BATCHED: (chain(STEPS), True, 0),
    Kind.BROUGHT: (chain(STEPS), False, 0),
}
"""What is started, whether its events come in batches, and the goal."""


def measure(scale: Scale) -> list[Row]:
    """Return the rates with batched frames and with one frame per event, each against Node-RED's."""
    wallet, count = WalletKey.create()[0], scale.of(RUNS)
    with tempfile.TemporaryDirectory() as name, ExitStack() as servers:
        scratch = Path(name)
        peer = node_red(servers, scratch, scale)
        with engine(scratch, wallet.address) as at:
            uvloop.run(save(at["socket"], wallet, SAVED, chain(STEPS)))
            measures = {
                kind: partial(rate, at["socket"], wallet, count, workflow, batch=batch)
                for kind, (workflow, batch, _) in OURS.items()
            }
            if not isinstance(peer, MissingError):
                measures[Kind.PEER] = peer
            rates = scale.medians(measures)
        check_journal(scratch, len(OURS) * scale.turns * count)
    against = f"Node-RED {node_peers.version('node-red')} by HTTP, nothing kept"
    reference = peer if isinstance(peer, MissingError) else rates[Kind.PEER]
    return [
        beside(Row("B3", f"{WORK}, {kind.value}", "/s", rates[kind], 0, against, goal), reference)
        for kind, (_, _, goal) in OURS.items()
    ]


def node_red(servers: ExitStack, scratch: Path, scale: Scale) -> partial[float] | MissingError:
    """Start the peer and return what measures it once more; a part is run before, for its compiler."""
    try:
        url = servers.enter_context(node_peers.node_red(scratch, STEPS))
    except MissingError as error:
        return error
    posts(url, scale.of(PEER_RUNS) // 2)
    return partial(posts, url, scale.of(PEER_RUNS))


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


def rate(url: str, wallet: WalletKey, count: int, workflow: dict[str, Any] | str, *, batch: bool) -> float:
    """Return our runs a second of a workflow, or of a saved one; the commands are signed beforehand."""
    made = orders(wallet, count, workflow, adding(0))
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
