"""B4: how long a run of ten steps takes while the server has half the work that it can do, beside Node-RED."""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path

import uvloop

from benchmarks import node_peers
from benchmarks.b03_runs import (
    CONNECTIONS,
    HTTP_CONNECTIONS,
    SAVED,
    STEPS,
    check_peer,
    posts,
    rate,
    start_of_peer,
)
from benchmarks.figures import MissingError, Row, Scale, beside, percentile
from benchmarks.http_load import open_loop as open_http
from benchmarks.runs import open_loop, orders, save
from benchmarks.servers import engine
from benchmarks.workflows import adding, chain, events_of
from shared.signing.keys import WalletKey

WORK = "latency of a run of 10 steps at half load"
DEADLINE_SECONDS = 150
TRIAL_RUNS = 2400
SECONDS = 3
LOAD = 0.5
SHARES = [share / 1000 for share in (*range(0, 1000, 20), 990, 995, 999)]

prepare = node_peers.folder


def measure(scale: Scale) -> list[Row]:
    """Return our 99th percentile against Node-RED's, each at half of its own rate."""
    wallet = WalletKey.create()[0]
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        missing: MissingError | None = None
        try:
            theirs = of_node_red(scratch, scale)
        except MissingError as error:
            theirs, missing = [[0.0]], error
        with engine(scratch, wallet.address) as at:
            uvloop.run(save(at["socket"], wallet, SAVED, chain(STEPS)))
            ours = of_engine(at["socket"], wallet, scale)
    against = f"Node-RED {node_peers.version('node-red')}"
    series = {"Flowork": curve(ours), against: curve(theirs)}
    rows = []
    for title, share in (("p50", 0.5), ("p99", 0.99)):
        mine, other = middle(ours, share), middle(theirs, share)
        row = Row(
            "B4", f"{WORK}, {title}", "ms", mine, 0, against, 1.0 if share > 0.9 else 0.0, at_least=False,
            series=series if share > 0.9 and missing is None else {},
        )  # fmt: skip
        rows.append(beside(row, other if missing is None else missing))
    return rows


def of_node_red(scratch: Path, scale: Scale) -> list[list[float]]:
    """Return the milliseconds of each of its runs, round by round."""
    with node_peers.node_red(scratch, STEPS) as url:
        posts(url, scale.of(TRIAL_RUNS))
        per_second = LOAD * posts(url, scale.of(TRIAL_RUNS))
        data = [start_of_peer(url)] * int(per_second * scale.of(8 * SECONDS) / 8)
        rounds = []
        for _ in range(scale.rounds):
            told = uvloop.run(open_http(url, data, HTTP_CONNECTIONS, per_second))
            check_peer(told.bodies)
            rounds.append([1000 * seconds for seconds in told.seconds])
        return rounds


def of_engine(url: str, wallet: WalletKey, scale: Scale) -> list[list[float]]:
    """Return the milliseconds of each of our runs, round by round."""
    rate(url, wallet, scale.of(TRIAL_RUNS), SAVED, batch=True)
    per_second = LOAD * rate(url, wallet, scale.of(TRIAL_RUNS), SAVED, batch=True)
    rounds = []
    for _ in range(scale.rounds):
        made = orders(wallet, int(per_second * scale.of(8 * SECONDS) / 8), SAVED, adding(0))
        load = open_loop(url, made, connections=CONNECTIONS, per_second=per_second, batch=True)
        result, seconds = uvloop.run(load)
        result.check(made, events_of(STEPS))
        rounds.append([1000 * each for each in seconds])
    return rounds


def middle(rounds: list[list[float]], share: float) -> float:
    """Return the median over the rounds of a percentile."""
    return statistics.median(percentile(each, share) for each in rounds)


def curve(rounds: list[list[float]]) -> list[float]:
    """Return the percentiles that the plot shows."""
    return [round(middle(rounds, share), 3) for share in SHARES]
