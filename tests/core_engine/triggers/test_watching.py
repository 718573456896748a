"""Real files, real programs, events and ends of runs that start workflows."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from pathlib import Path
from typing import Any

from core_engine.triggers.publishing import MOST_DEPTH
from tests.core_engine.triggers.desk import ended, engine, flow, given, node, quick, rule, runs, save, until


async def events(of: Any, preset: str = "flow") -> list[dict[str, Any]]:
    return [await given(of, run.job_id) for run in await runs(of, preset)]


async def watched(of: Any, rule_id: str, folder: Path) -> None:
    """Wait until the watcher sees what happens: it is told by files that it reports."""
    probe = 0

    async def seen() -> bool:
        nonlocal probe
        probe += 1
        await asyncio.to_thread((folder / f"probe{probe}.txt").write_text, "x")
        await asyncio.sleep(0.2)
        return of.triggers.counts.of(rule_id).fired > 0

    await until(seen)


async def test_files_that_are_made_changed_moved_and_deleted(tmp_path: Path) -> None:
    inbox = tmp_path / "files" / "inbox"
    inbox.mkdir(parents=True)
    async with engine(tmp_path) as of:
        await save(of, "flow", quick())
        made = await rule(of, "file_system", config={"path_to_watch": "inbox", "debounce_seconds": 0.05})
        await watched(of, made.id, inbox)

        async def told(name: str, kind: str) -> Any:
            found = [event for event in await events(of) if Path(event["path"]).name == name]
            return [event for event in found if event["event"] == kind]

        await asyncio.to_thread((inbox / "a.txt").write_text, "1")
        await until(lambda: told("a.txt", "created"))
        await asyncio.sleep(0.5)
        await asyncio.to_thread((inbox / "a.txt").write_text, "22")
        await until(lambda: told("a.txt", "modified"))
        await asyncio.sleep(0.5)
        (inbox / "a.txt").rename(inbox / "b.txt")
        (moved,) = await until(lambda: told("b.txt", "moved"))
        assert Path(moved["from_path"]).name == "a.txt"
        await asyncio.sleep(0.5)
        (inbox / "b.txt").unlink()
        await until(lambda: told("b.txt", "deleted"))
        await asyncio.to_thread((inbox / ".hidden").write_text, "x")
        await asyncio.to_thread((inbox / "last.txt").write_text, "x")
        await until(lambda: told("last.txt", "created"))
        assert not await told(".hidden", "created")


async def test_only_what_the_rule_asks_for_inside_the_roots(tmp_path: Path) -> None:
    (tmp_path / "files" / "deep" / "er").mkdir(parents=True)
    async with engine(tmp_path) as of:
        await save(of, "flow", quick())
        outside = await rule(of, "file_system", config={"path_to_watch": "../engine"})
        missing = await rule(of, "file_system", config={"path_to_watch": "nowhere"})
        await until(lambda: of.triggers.describe(outside).blocked)
        assert "outside" in (of.triggers.describe(outside).blocked or "")
        await until(lambda: of.triggers.describe(missing).blocked)
        config = {"path_to_watch": "deep", "recursive": True, "events": "created", "pattern": "*.csv"}
        made = await rule(of, "file_system", config=config | {"debounce_seconds": 0.05})
        probe = tmp_path / "files" / "deep" / "er"

        async def seen() -> bool:
            (probe / f"{os.urandom(4).hex()}.csv").touch()
            (probe / f"{os.urandom(4).hex()}.txt").touch()
            await asyncio.sleep(0.2)
            return of.triggers.counts.of(made.id).fired > 1

        await until(seen)
        assert {(event["event"], Path(event["path"]).suffix) for event in await events(of)} == {
            ("created", ".csv")
        }


async def test_programs_that_start_and_stop(tmp_path: Path) -> None:
    program = tmp_path / f"fw{os.getpid()}"
    shutil.copy(shutil.which("sleep") or "/bin/sleep", program)
    async with engine(tmp_path) as of:
        for kind in ("started", "stopped"):
            await save(of, kind, quick())
            config = {"process_name": program.name, "event": kind, "check_interval": 0.1}
            await rule(of, "process", preset=kind, config=config)

        async def seen() -> Any:
            process = await asyncio.create_subprocess_exec(str(program), "2")
            await process.wait()
            await asyncio.sleep(0.3)
            return await events(of, "started") and await events(of, "stopped")

        await until(seen)
        (started, *_), (stopped, *_) = await events(of, "started"), await events(of, "stopped")
        assert (started["event"], started["process_name"]) == ("started", program.name)
        assert stopped["event"] == "stopped"
        assert stopped["pids"]
        assert sys.platform == "linux" or started["pids"]


def publishing(name: str = "order.paid") -> dict[str, Any]:
    return flow(node("tell", "publish_event", event_name=name))


async def test_an_event_starts_every_workflow_that_listens_once(tmp_path: Path) -> None:
    async with engine(tmp_path) as of:
        await save(of, "shop", publishing())
        await save(of, "flow", flow(node("on", "event_bus_trigger", event_name_to_listen="order.*")))
        await save(of, "deaf", flow(node("on", "event_bus_trigger", event_name_to_listen="order")))
        shop = await rule(of, "manual", preset="shop")
        verdict = await of.triggers.fire(shop, {"n": 7})
        (run,) = await until(lambda: runs(of, "flow"))
        event = await given(of, run.job_id)
        assert (event["event_name"], event["data"]["n"]) == ("order.paid", 7)
        assert event["source"] == {"job_id": verdict.run_id, "node_id": "tell"}
        await ended(of, verdict.run_id)
        assert await runs(of, "deaf") == []
        from core_engine.components.outlet import PublishedEvent

        for _ in range(2):
            await of.triggers.publishing.publish(
                PublishedEvent("order.x", 1, verdict.run_id, "tell", "same key")
            )
        assert len(await runs(of, "flow")) == 2


async def test_circles_of_triggers_end(tmp_path: Path) -> None:
    async with engine(tmp_path) as of:
        await save(of, "flow", flow(node("on", "run_finished_trigger", preset_filter="flow")))
        (made,) = of.triggers.rules.all()
        await of.triggers.fire(made, {})
        await until(lambda: of.triggers.counts.of(made.id).refused)
        assert len(await runs(of)) == MOST_DEPTH + 1
        nodes = [
            node("on", "event_bus_trigger", event_name_to_listen="e"),
            node("tell", "publish_event", event_name="e"),
        ]
        await save(of, "bus", flow(*nodes, links=(("on", "tell"),)))
        (bus,) = of.triggers.rules.all("bus")
        await of.triggers.fire(bus, {})
        await until(lambda: of.triggers.counts.of(bus.id).refused)
        assert len(await runs(of, "bus")) == MOST_DEPTH + 1


async def test_the_end_of_a_run_starts_what_waits_for_it(tmp_path: Path) -> None:
    async with engine(tmp_path) as of:
        await save(of, "good", quick())
        await save(of, "flow", quick())
        made = await rule(
            of, "run_finished", config={"preset_filter": ["good"], "status_filter": "succeeded"}
        )
        await rule(of, "run_finished", config={"preset_filter": "good", "status_filter": "FAILED"})
        source = await rule(of, "manual", preset="good")
        verdict = await of.triggers.fire(source, {})
        (run,) = await until(lambda: runs(of, "flow"))
        assert run.origin == f"trigger:{made.id}"
        event = await given(of, run.job_id)
        assert (event["run"]["job_id"], event["run"]["status"]) == (verdict.run_id, "SUCCEEDED")
        await ended(of, run.job_id)
        await until(lambda: not of.triggers.table.fires())
    async with engine(tmp_path) as of:
        assert len(await runs(of)) == 2
