"""Z4: whatever bytes come over the engine's socket, everybody else is served, and nothing of it stays."""

from __future__ import annotations

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from websockets.sync.client import connect

from shared.signing.envelope import seal
from tests.core_engine.engine import CLOCK, ENGINE_ID, OWNER, chain
from tests.core_engine.test_app import Process, process
from tests.faults.asking import ask
from tests.fuzz.frames import change_bytes, converse, frame, handshake, open_files, resident_mib
from tests.simulation import seeds
from tests.support.platform import wait_for

SEEDS = 240
AT_ONCE = 12
GROWTH_MIB = 64
PONG = 0x8A


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Process]:
    with process(tmp_path) as running:
        yield running


def conversation(seed: int) -> list[bytes]:
    """Return what one client sends after its handshake: parts of honest messages, and frames of all kinds."""
    rng = random.Random(seed)
    pieces = []
    for _ in range(rng.randint(1, 6)):
        kind = rng.choice(["list_runs", "execute_workflow", "get_run", "request_variables"])
        payload = {"type": kind, "job_id": f"j{seed}", "workflow_data": chain(2, "no_such_module")}
        whole = seal(OWNER, ENGINE_ID, payload, now_ms=CLOCK.now_ms()).encode()
        pieces.append(frame(rng, change_bytes(rng, whole)))
    return pieces


def speak(seed: int, engine: Process) -> None:
    pieces = conversation(seed)
    rng = random.Random(-seed)
    opening = handshake(rng, engine.url, f"/?engineId={ENGINE_ID}")
    if rng.random() < 0.1:
        opening = change_bytes(rng, opening)
    seen = converse(engine.url, [opening, *pieces], patience=rng.choice([0.0001, 0.05, 0.3]), wanted=_never)
    assert _without_early_pongs(seen)[:12] in (b"", b"HTTP/1.1 101", b"HTTP/1.1 400", b"HTTP/1.1 403", b"HTTP/1.1 404",
                         b"HTTP/1.1 405", b"HTTP/1.1 414", b"HTTP/1.1 426", b"HTTP/1.1 431")  # fmt: skip
    for code in (b'"INTERNAL"', b"Traceback"):
        assert code not in seen


def _without_early_pongs(seen: bytes) -> bytes:
    """The library answers a ping at once, also one of a client that did not wait for the end of the handshake."""
    while len(seen) > 1 and seen[0] == PONG:
        seen = seen[2 + seen[1] :]
    return seen


def _never(_: bytes) -> bool:
    return False


def test_z4_whatever_frames_come_others_are_served(engine: Process) -> None:
    with connect(engine.url) as honest, ThreadPoolExecutor(AT_ONCE) as pool:
        assert ask(honest, "list_runs")["runs"] == []
        memory, files = resident_mib(engine.popen.pid), open_files(engine.popen.pid)
        tried = [
            pool.submit(seeds.try_seed, "tests/fuzz/test_engine_frames.py", speak, seed, engine=engine)
            for seed in seeds.chunk(SEEDS)
        ]
        while not all(each.done() for each in tried):
            assert ask(honest, "list_runs")["runs"] == [], "served at once, and nothing of it ran"
        for each in tried:
            each.result()
        wait_for(lambda: open_files(engine.popen.pid) <= files, "the connections to be given back")
        assert resident_mib(engine.popen.pid) - memory < GROWTH_MIB
        assert ask(honest, "list_runs")["runs"] == []
    assert "Traceback" not in engine.log.read_text()
