"""Judges the machine: room on the disk, a clock that is kept right, ports that can be used."""

from __future__ import annotations

import ctypes
import shutil
from collections.abc import Mapping
from pathlib import Path

from flowork.doctor.finding import Finding, Level, judge
from flowork.supervisor.ports import require_free_ports
from shared.errors import FloworkError

LITTLE, VERY_LITTLE = 0.10, 0.02
MIN_FREE_BYTES = 256 * 1024 * 1024
_GIB = 1024**3
_TIME_ERROR = 5
_TIMEX_BYTES = 1024  # more than any architecture's struct timex


def check_disk(data_dir: Path) -> Finding:
    """Judge the free space where the data is, or will be."""
    folder = next((item for item in (data_dir, *data_dir.absolute().parents) if item.is_dir()), Path("/"))
    usage = shutil.disk_usage(folder)
    return judge_disk(usage.free, usage.total)


def judge_disk(free: int, total: int) -> Finding:
    """Judge so many free bytes of so many."""
    share = free / total if total else 0.0
    text = f"{free / _GIB:.1f} GiB free of {total / _GIB:.1f}"
    if free < MIN_FREE_BYTES or share < VERY_LITTLE:
        return Finding(
            "disk", Level.FAIL, text, "Runs stop when it is full; make room, or set ENGINE_KEEP_MEGABYTES."
        )
    advice = "Make room, or keep less: ENGINE_KEEP_DAYS, ENGINE_KEEP_RUNS, ENGINE_KEEP_MEGABYTES."
    return judge("disk", text, good=share >= LITTLE, advice=advice)


def check_clock() -> list[Finding]:
    """Judge whether the system says that its clock follows network time; nothing where it does not say."""
    try:
        answer = int(ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES)))
    except (OSError, AttributeError):
        return []
    return [] if answer < 0 else [judge_clock(kept=answer != _TIME_ERROR)]


def judge_clock(*, kept: bool) -> Finding:
    """Judge a clock that is kept by network time, or that is left alone."""
    return judge(
        "network time",
        "the clock is kept right" if kept else "the clock is not kept by network time",
        good=kept,
        advice="Switch on chrony or systemd-timesyncd: signatures are valid for five minutes only.",
        otherwise=Level.NOTE,
    )


def check_ports(environ: Mapping[str, str], *, running: bool) -> list[Finding]:
    """Judge whether the services could listen; nothing while they do."""
    if running:
        return []
    try:
        require_free_ports(environ)
    except FloworkError as error:
        return [Finding("ports", Level.FAIL, "taken by another program", error.message)]
    return [Finding("ports", Level.OK, "free")]
