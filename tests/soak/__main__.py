"""``python -m tests.soak``: half an hour of load and random failures; 1 where something was lost or grows."""

from __future__ import annotations

import asyncio
import os
import random
import sys
import tempfile
from pathlib import Path

from tests.soak.soak import Plan, soak


def main() -> int:
    given = os.environ
    plan = Plan(
        minutes=float(given.get("SOAK_MINUTES", "30")),
        clients=int(given.get("SOAK_CLIENTS", "200")),
        seed=int(given.get("SOAK_SEED", "0")) or random.randrange(1, 2**31),
        workers=int(given.get("SOAK_WORKERS", "0")) and 2,
        think=float(given.get("SOAK_THINK", "6")),
        kill_seconds=float(given.get("SOAK_KILL_SECONDS", "8")),
    )
    with tempfile.TemporaryDirectory(prefix="flowork-soak-") as folder:
        report = asyncio.run(soak(Path(folder) / "platform", plan, lambda line: print(line, flush=True)))
    report.show(lambda line: print(line, flush=True))
    return 0 if report.passed else 1


if __name__ == "__main__":
    sys.exit(main())
