"""Which core does what: the server that is measured has one, the load another one."""

from __future__ import annotations

import os

ALL = sorted(os.sched_getaffinity(0))
SERVER, LOAD = ALL[-1], ALL[0]


def take_load_core() -> None:
    """Keep this process, which makes the load, to its core."""
    os.sched_setaffinity(0, {LOAD})
