"""B1: signed commands answered per second by one engine process, beside a bare loop that only recovers the signer."""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path

from eth_account import Account
from eth_account.messages import encode_defunct
from websockets.asyncio.client import connect

from benchmarks.figures import Row, median_of
from benchmarks.servers import engine
from shared.signing.envelope import seal
from shared.signing.keys import WalletKey

MESSAGES = 4000
WINDOW = 64
LOOPS = 2000


def measure() -> list[Row]:
    """Return the rate of commands against that of the bare loop."""
    wallet = WalletKey.create()[0]
    limit = median_of(lambda: recoveries(wallet))
    with tempfile.TemporaryDirectory() as folder, engine(Path(folder), wallet.address) as at:
        rate = median_of(lambda: asyncio.run(commands(at["socket"], wallet)))
    return [Row("B1", "signed commands", "/s", rate, limit, "loop of recover_message", 0.85)]


def recoveries(wallet: WalletKey) -> float:
    """Return how many signers one core recovers a second, by the library's own call."""
    texts = [f"flowork|{number}" for number in range(LOOPS)]
    signed = [(encode_defunct(text=text), wallet.sign_text(text)) for text in texts]
    started = time.perf_counter()
    for message, signature in signed:
        Account.recover_message(message, signature=signature)
    return LOOPS / (time.perf_counter() - started)


async def commands(url: str, wallet: WalletKey) -> float:
    """Return how many commands are answered a second; each is signed beforehand, and different."""
    now_ms = time.time_ns() // 1_000_000
    frames = [
        seal(
            wallet,
            "engine-1",
            {"type": "get_run", "job_id": "none", "request_id": str(number)},
            now_ms=now_ms,
        )
        for number in range(MESSAGES)
    ]
    async with connect(f"{url}/?engineId=engine-1", max_size=None, compression=None) as socket:
        room = asyncio.Semaphore(WINDOW)

        async def send() -> None:
            for frame in frames:
                await room.acquire()
                await socket.send(frame)

        started = time.perf_counter()
        sending = asyncio.create_task(send(), name="load")
        answered = 0
        while answered < MESSAGES:
            if b'"request_id"' in await socket.recv(decode=False):
                answered += 1
                room.release()
        seconds = time.perf_counter() - started
        await sending
    return MESSAGES / seconds
