"""Which core does what: the server that is measured has one, the load another one."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator

ALL = sorted(os.sched_getaffinity(0))
SERVER, LOAD = ALL[-1], ALL[0]


@contextlib.contextmanager
def busy_server_core() -> Iterator[None]:
    """Keep the servers' core busy with nothing, as it is while a server is measured.

    Two cores of a virtual machine may be one of the real ones, and then slow each other down.
    """
    spinning = subprocess.Popen(
        [sys.executable, "-S", "-c", f"import os; os.sched_setaffinity(0, {{{SERVER}}})\nwhile True: pass"]
    )
    try:
        yield
    finally:
        spinning.kill()
        spinning.wait()


def take_load_core() -> None:
    """Keep this process, which makes the load, to its core."""
    os.sched_setaffinity(0, {LOAD})
