"""Becomes a service process that the system ends if its supervisor dies; run by path, needs only the standard library.

Usage: ``python launch.py SUPERVISOR_PID MODULE``.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_SET_PARENT_DEATH_SIGNAL = 1


def main() -> None:
    """Tie this process to its parent where the system can, then become ``python -m MODULE``."""
    parent, module = int(sys.argv[1]), sys.argv[2]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGTERM, 0, 0, 0)
        if os.getppid() != parent:  # it died before the line above
            sys.exit(1)
    os.execv(sys.executable, [sys.executable, "-P", "-m", module])  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    main()
