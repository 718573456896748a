"""The machine on which is measured: its processor, and how much of it others took meanwhile."""

from __future__ import annotations

import os
import platform
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_IDLE, _IOWAIT, _STEAL = 3, 4, 7


@dataclass(frozen=True, slots=True)
class CpuTimes:
    """Counted ticks of all cores since the machine started."""

    whole: int
    idle: int
    steal: int

    @classmethod
    def now(cls) -> CpuTimes:
        """Read them; all zero where the system does not tell."""
        try:
            first = Path("/proc/stat").read_text().splitlines()[0].split()[1:9]
        except OSError:
            return cls(0, 0, 0)
        ticks = [int(word) for word in first]
        return cls(sum(ticks), ticks[_IDLE] + ticks[_IOWAIT], ticks[_STEAL])


class Machine:
    """Describes the machine; made when the measuring begins, asked when it is over."""

    def __init__(self) -> None:
        self._begun = time.monotonic()
        self._before = CpuTimes.now()
        self._load = os.getloadavg()[0]

    def facts(self) -> dict[str, Any]:
        """Return what the results are worth knowing with; ``steal_percent`` is what the hypervisor took."""
        after = CpuTimes.now()
        whole = max(1, after.whole - self._before.whole)
        return {
            "cpu": cpu_model(),
            "cores": len(os.sched_getaffinity(0)),
            "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
            "system": f"{platform.system()} {platform.release()}",
            "python": platform.python_version(),
            "date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
            "seconds": round(time.monotonic() - self._begun, 1),
            "load_before": round(self._load, 2),
            "steal_percent": round(100 * (after.steal - self._before.steal) / whole, 1),
            "idle_percent": round(100 * (after.idle - self._before.idle) / whole, 1),
        }


def cpu_model() -> str:
    """Return the processor's name."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith(("model name", "Model"))]
    return names[0] if names else platform.machine()


def sentence(facts: dict[str, Any]) -> str:
    """Return the facts as one sentence for people."""
    return (
        f"{facts['cores']} cores of {facts['cpu']}, {facts['memory_gb']} GB, {facts['system']}, "
        f"Python {facts['python']}; {facts['date']}, {facts['seconds']:.0f} s, "
        f"load before {facts['load_before']}, steal {facts['steal_percent']} %."
    )
