"""B1: signed commands answered per second by one engine process, beside a bare loop that only recovers the signer."""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path

import msgspec
import uvloop
from eth_account import Account
from eth_account.messages import encode_defunct

from benchmarks import cores
from benchmarks.figures import Row, Scale
from benchmarks.servers import ENGINE_ID, engine
from benchmarks.wire import connect, framed
from shared.signing.envelope import seal
from shared.signing.keys import WalletKey

WORK = "signed commands"
DEADLINE_SECONDS = 90
MESSAGES = 8000
WINDOW = 64
LOOPS = 4000
WAIT_SECONDS = 40.0
VITALS = b'"type":"engine_status_update"'


def measure(scale: Scale) -> list[Row]:
    """Return the rate of commands against that of the bare loop."""
    wallet = WalletKey.create()[0]
    with tempfile.TemporaryDirectory() as folder, engine(Path(folder), wallet.address) as at:
        rates = scale.medians(
            {
                "loop": lambda: recoveries(wallet, scale.of(LOOPS)),
                "beside": lambda: recoveries_beside(wallet, scale.of(LOOPS)),
                "ours": lambda: uvloop.run(commands(at["socket"], wallet, scale.of(MESSAGES))),
            }
        )
    loop, beside, ours = rates["loop"], rates["beside"], rates["ours"]
    return [
        Row("B1", WORK, "/s", ours, loop, "loop of recover_message", 0.85),
        Row("B1", "the same", "/s", ours, beside, "the loop, other core busy as it is here", 0.0),
    ]


def recoveries(wallet: WalletKey, count: int) -> float:
    """Return how many signers one core recovers a second, by the library's own call."""
    texts = [f"flowork|{number}" for number in range(count)]
    signed = [(encode_defunct(text=text), wallet.sign_text(text)) for text in texts]
    started = time.perf_counter()
    for message, signature in signed:
        if Account.recover_message(message, signature=signature) != wallet.address:
            raise RuntimeError("another signer was recovered")
    return count / (time.perf_counter() - started)


def recoveries_beside(wallet: WalletKey, count: int) -> float:
    """Return the same while the other core is busy."""
    with cores.busy_server_core():
        return recoveries(wallet, count)


def signed_commands(wallet: WalletKey, count: int) -> list[bytes]:
    """Return so many different commands as they go over the wire, each with the time at which it was signed."""
    return [
        framed(
            seal(
                wallet,
                ENGINE_ID,
                {"type": "get_run", "job_id": "none", "request_id": str(number)},
                now_ms=time.time_ns() // 1_000_000,
            ).encode()
        )
        for number in range(count)
    ]


async def commands(url: str, wallet: WalletKey, count: int) -> float:
    """Return how many commands are answered a second; each is signed beforehand, and different."""
    frames = signed_commands(wallet, count)
    left = iter(frames)
    answers: list[bytes] = []
    done = asyncio.Event()

    def take(answer: bytes) -> None:
        if VITALS in answer:
            return
        answers.append(answer)
        if (data := next(left, None)) is not None:
            socket.send_framed(data)
        elif len(answers) >= count:
            done.set()

    socket = await connect(f"{url}/?engineId={ENGINE_ID}", take)
    started = time.perf_counter()
    for _ in range(min(WINDOW, count)):
        socket.send_framed(next(left))
    async with asyncio.timeout(WAIT_SECONDS):
        await done.wait()
    seconds = time.perf_counter() - started
    socket.close()
    told = [msgspec.json.decode(answer) for answer in answers]
    if {answer["code"] for answer in told} != {"NOT_FOUND"}:
        raise RuntimeError(f"wrong answers: {next(each for each in told if each['code'] != 'NOT_FOUND')}")
    if {answer["request_id"] for answer in told} != {str(number) for number in range(count)}:
        raise RuntimeError("some command was answered twice or not at all")
    return count / seconds
