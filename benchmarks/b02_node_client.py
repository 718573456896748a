"""B2: signed commands from the usual JavaScript libraries, beside a Node server that verifies with `ethers`."""

from __future__ import annotations

import json
import statistics
import subprocess
import tempfile
from pathlib import Path

from benchmarks import node_peers
from benchmarks.figures import Row, Scale
from benchmarks.servers import ENGINE_ID, ROOT, engine
from shared.signing.keys import WalletKey

WORK = "signed commands, Node client"
DEADLINE_SECONDS = 150
MESSAGES, PEER_MESSAGES = 4000, 800
LOAD_SECONDS = 70

prepare = node_peers.folder


def measure(scale: Scale) -> list[Row]:
    """Return our rate against that of the Node server, with the same client."""
    wallet = WalletKey.create()[0]
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        with node_peers.peer("commands_server.mjs", scratch) as at:
            peer = load(at["socket"], wallet, scale.of(PEER_MESSAGES), scale.rounds)
        with engine(scratch / "ours", wallet.address) as at:
            rate = load(at["socket"], wallet, scale.of(MESSAGES), scale.rounds)
    against = f"Node ws {node_peers.version('ws')} + ethers {node_peers.version('ethers')}"
    return [Row("B2", WORK, "/s", rate, peer, against, 12.0)]


def load(url: str, wallet: WalletKey, count: int, rounds: int) -> float:
    """Have the JavaScript client sign and send; it fails unless each command is answered rightly, once."""
    script = node_peers.folder() / "commands_load.mjs"
    words = ["node", str(script), url, wallet.private_key_hex(), ENGINE_ID, str(count), str(rounds)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False, timeout=LOAD_SECONDS)
    if done.returncode:
        raise RuntimeError(f"the Node client failed: {done.stderr.strip()[-300:]}")
    rates: list[float] = json.loads(done.stdout)["rates"]
    return statistics.median(rates)
