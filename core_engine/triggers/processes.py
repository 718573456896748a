"""Notices that programs of a name start or end, by looking at the processes again and again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import psutil

from core_engine.components.builtin.process_trigger.component import ProcessConfig

MOST_PIDS = 1000
Seen = frozenset[tuple[int, float]]


async def watch_processes(config: ProcessConfig) -> AsyncIterator[dict[str, Any]]:
    """Yield an event for each look that finds a change; what runs at the first look is no change."""
    before = await asyncio.to_thread(_running, config.process_name)
    while True:
        await asyncio.sleep(config.check_interval)
        now = await asyncio.to_thread(_running, config.process_name)
        changed = now - before if config.event == "started" else before - now
        before = now
        if changed:
            pids = sorted(pid for pid, _ in changed)[:MOST_PIDS]
            yield {"event": config.event, "process_name": config.process_name, "pids": pids}


def _running(name: str) -> Seen:
    """Return the processes of a name; a pid that is used again is another process."""
    wanted = {name.casefold(), f"{name}.exe".casefold()}
    return frozenset(
        (process.info["pid"], process.info["create_time"] or 0.0)
        for process in psutil.process_iter(["pid", "name", "create_time", "status"])
        if (process.info["name"] or "").casefold() in wanted
        and process.info["status"] != psutil.STATUS_ZOMBIE
    )
