"""Judges how well code of others is kept apart on this machine; asks the engine's own code, as a process."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping

from flowork.doctor.finding import Finding, judge
from flowork.supervisor.service import inherited

_PROBE = "from core_engine.components.isolation.rungs import rung_in_force; print(rung_in_force())"
_PROBE_SECONDS = 60.0
_STRONG = {"bubblewrap": "bubblewrap, seccomp and limits", "landlock": "Landlock, seccomp and limits"}
_ADVICE = "Steps with code of others are refused here; install bubblewrap, or use a kernel with Landlock."


def judge_isolation(rung: str) -> Finding:
    """Judge a rung by its name, as the engine's status and its code tell it."""
    return judge("isolation", _STRONG.get(rung, rung or "unknown"), good=rung in _STRONG, advice=_ADVICE)


def probe_isolation(environ: Mapping[str, str]) -> Finding:
    """Find out which rung an engine would have here; takes a moment, because it is tried for real."""
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-c", _PROBE], env=inherited(environ), stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=_PROBE_SECONDS, check=True,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return judge_isolation("")
    return judge_isolation(done.stdout.strip())
