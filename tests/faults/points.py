"""``python -m tests.faults.points``: carries out sessions, each in a fork, whose disk goes wrong at one point.

Reads one order a line (JSON: ``folder``, ``act``, ``how``, ``first``, ``many``) and answers each with the exit code,
the signal's negative number where one ended it.
"""

from __future__ import annotations

import asyncio
import ctypes
import json
import os
import subprocess
import sys
import traceback
from pathlib import Path
from typing import Any, Self

from shared.errors import ErrorCode, FloworkError
from tests.core_engine.workflow.marks import append
from tests.faults.session import Session, judge, lines
from tests.support.platform import ROOT

KINDS = (
    "count", "die before", "die after", "die torn", "write EIO", "write ENOSPC", "short write", "sync EIO",
)  # fmt: skip


class Points:
    """The process that has the library preloaded; use it as a context manager."""

    def __init__(self, library: str) -> None:
        environment = os.environ | {"LD_PRELOAD": library}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.points"],
            cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            stream.close()
        assert self._process.wait(60) == 0

    def run(self, folder: Path, act: str = "live", how: str = "count", first: int = 0, many: int = 1) -> int:
        """Have one session; return its exit code."""
        order = {"folder": str(folder), "act": act, "how": KINDS.index(how), "first": first, "many": many}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def count(self, folder: Path) -> int:
        """Have a session in which nothing goes wrong, and return how many points it has."""
        assert self.run(folder) == 0, lines(folder / "mistakes")
        return int((folder / "count").read_text())


def main() -> int:
    """Fork for each order until the input ends."""
    points = ctypes.CDLL(None)
    points.points_count.restype = ctypes.c_long
    for text in sys.stdin:
        child = os.fork()
        if child == 0:
            os._exit(_child(json.loads(text), points))
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)
    return 0


def _child(order: dict[str, Any], points: Any) -> int:
    folder = Path(order["folder"])
    try:
        if order["act"] == "judge":
            for problem in judge(folder):
                append(folder / "verdict", problem)
            return 0
        root = str(folder / "engine").encode()
        points.points_arm(root, order["how"], ctypes.c_long(order["first"]), ctypes.c_long(order["many"]))
        asyncio.run(_session(folder, order["act"]))
        (folder / "count").write_text(str(points.points_count()))
    except FloworkError as error:
        append(folder / "refused", error.message)
        return error.meaning.exit
    except BaseException:  # noqa: BLE001 - the process ends here, and the test is to see why
        append(folder / "mistakes", traceback.format_exc())
        return 1
    return 0


async def _session(folder: Path, act: str) -> None:
    try:
        session = Session(folder)
    except OSError as error:  # as `core_engine.app` tells it
        message = f"The data folder {folder} cannot be used: {error.strerror or error}."
        raise FloworkError(ErrorCode.CONFIGURATION, message) from error
    await (session.make() if act == "make" else session.live())


if __name__ == "__main__":
    sys.exit(main())
