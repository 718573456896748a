"""After a crash at any point the run goes on: nothing finished runs again, nothing is lost, nothing is guessed."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from core_engine.kernel.payload import Payload
from core_engine.storage import EngineStore, RunRow, SegmentRow, WorkflowRow, Write
from core_engine.workflow import records as r
from core_engine.workflow.archive import Archive, ArchivedRun
from core_engine.workflow.journal import encode_segment
from core_engine.workflow.library import Library
from core_engine.workflow.state import RunState
from shared.contract.run import NodeStatus, RunMode, RunStatus
from shared.errors import ErrorCode, FloworkError
from tests.core_engine.workflow.workshop import OWNER, Bench, Registry, Watcher, bench, chain, workflow

MIXED = workflow(
    "a>b", "a>c", "b>e", "c:error>d", "c>x", "d>e", "e>f", "f>g", "s>g", "g>h", "a>h", "h>k", "h>l",
    a="talk", b="effect",
    c={"module_id": "fail", "retry": {"attempts": 2, "delay_seconds": 0.001}},
    d="add", x="add", e={"module_id": "add", "config_values": {"amount": "{{ data.n || `1` }}"}},
    f={"module_id": "talk", "config_values": {"popup": 1}}, s="effect", g="keyed_gate",
    h={"module_id": "add", "disabled": True}, k="gate", l="effect",
)  # fmt: skip
RESULTS = (r.StepRan, r.StepFinished, r.StepPassed, r.StepUnknown, r.StepCancelled)


def opened() -> Registry:
    """A registry whose gates stand open."""
    registry = Registry()
    for name in ("gate", "once_gate", "keyed_gate"):
        registry[name].open.set()
    return registry


def load(shop: Bench, run_id: str = "run-1") -> ArchivedRun:
    return Archive(shop.store, Library(shop.registry)).load(run_id)


async def put(folder: Path, run: ArchivedRun, records: list[Any], registry: Registry | None = None) -> None:
    """Write a journal that holds the first records of a run, as a crash would have left it."""
    store = EngineStore.open(folder)
    state: RunState = Archive(store, Library(registry or Registry())).state(
        ArchivedRun(run.row, run.prepared, records)
    )
    row = run.row._replace(
        number=1, status=state.status.value, finished_at=state.finished_at, error=state.error,
        records=len(records), last_seq=state.next_seq - 1, status_seq=state.status_seq,
    )  # fmt: skip
    await store.write(
        Write(
            run=RunRow(*row),
            segment=SegmentRow.of(1, 1, encode_segment(records)),
            workflow=WorkflowRow(run.prepared.graph.hash, run.prepared.body),
        )
    )
    store.close()


def results(records: list[Any]) -> Counter[int]:
    final = [
        record.node
        for record in records
        if isinstance(record, RESULTS) or (isinstance(record, r.StepFailed) and record.retry_at is None)
    ]
    return Counter(final)


async def test_cut_at_every_record_the_run_reaches_the_same_end(tmp_path: Path):
    async with bench(tmp_path / "first", opened()) as shop:
        await shop.run(MIXED, initial_payload=Payload({"n": 1}))
        whole = load(shop)
        expected = await shop.nodes()
        data_at_end = await shop.output("h>l")
    count = len(whole.records)
    assert count > 25
    for cut in range(1, count + 1):
        folder = tmp_path / f"cut-{cut}"
        records = whole.records[:cut]
        await put(folder, whole, records)
        registry = opened()
        async with bench(folder, registry) as shop:
            open_runs = await shop.runs.recover()
            assert open_runs == (0 if cut == count else 1)
            watcher = Watcher()
            await shop.runs.subscribe("run-1", watcher, 0)
            status = await watcher.end()
            again = load(shop)
            started = {x.node for x in records if isinstance(x, r.StepStarted) and x.policy == "once"}
            lost = {again.prepared.graph.nodes[node].id for node in started - set(results(records))}
            nodes = await shop.nodes()
            if not lost:
                assert (status, nodes) == ("SUCCEEDED", expected), cut
                assert await shop.output("h>l") | {"attempt": 2} == data_at_end
            for name in lost:
                assert nodes[name] == "OUTCOME_UNKNOWN", cut
            assert set(results(again.records).values()) == {1}, cut
            assert again.records[:cut] == records
            assert watcher.seqs == list(range(1, again.row.last_seq + 1))
            finished = set(results(records))
            assert not finished & {x.node for x in again.records[cut:] if hasattr(x, "node")}, cut
        shutil.rmtree(folder)


@pytest.mark.parametrize(
    ("module", "status", "calls"),
    [("gate", "SUCCEEDED", 2), ("keyed_gate", "SUCCEEDED", 2), ("once_gate", "FAILED", 1)],
)
async def test_an_unfinished_step_follows_its_policy(tmp_path: Path, module: str, status: str, calls: int):
    folder = tmp_path / "engine"
    registry = Registry()
    shop = Bench(folder, registry)
    await shop.start(workflow("a>b", a=module, b="add"))
    await registry[module].arrived.wait()
    await crash(shop, tmp_path / "copy")
    registry[module].open.set()
    async with bench(tmp_path / "copy", registry) as again:
        assert await again.runs.recover() == 1
        watcher = Watcher()
        await again.runs.subscribe("run-1", watcher, 0)
        assert await watcher.end() == status
        seen = registry[module].calls
        assert len(seen) == calls
        assert {call[3] for call in seen} == {seen[0][3]}
        assert [call[2] for call in seen] == [1, 2][:calls]
        fences = [x.fence for x in load(again).records if isinstance(x, r.StepStarted)][:calls]
        assert fences == [1, 2][:calls]
        if status == "FAILED":
            assert await again.nodes() == {"a": "OUTCOME_UNKNOWN", "b": "SKIPPED"}
            assert "OUTCOME_UNKNOWN" in (again.runs.summary("run-1").error_message or "")


async def crash(shop: Bench, copy: Path) -> None:
    """Take the data as a killed process would leave it, then put the old engine out of the way."""
    copy_data(Path(shop.store.reads._connection.execute("PRAGMA database_list").fetchone()[2]), copy)
    await shop.close()


def copy_data(database: Path, copy: Path) -> None:
    copy.mkdir()
    for name in ("engine.db", "engine.db-wal"):
        shutil.copy(database.with_name(name), copy / name)
    shutil.copytree(database.with_name("blobs"), copy / "blobs")


async def test_an_unknown_outcome_takes_the_error_port(tmp_path: Path):
    registry = Registry()
    shop = Bench(tmp_path / "engine", registry)
    await shop.start(workflow("a:error>b", a="once_gate", b="talk"))
    await registry["once_gate"].arrived.wait()
    await crash(shop, tmp_path / "copy")
    async with bench(tmp_path / "copy", registry) as again:
        await again.runs.recover()
        watcher = Watcher()
        await again.runs.subscribe("run-1", watcher, 0)
        assert await watcher.end() == "SUCCEEDED"
        assert await again.nodes() == {"a": "OUTCOME_UNKNOWN", "b": "SUCCESS"}
        assert (await again.output("a:error>b"))["code"] == "OUTCOME_UNKNOWN"


async def test_a_step_that_ends_the_engine_each_time_is_given_up(tmp_path: Path):
    registry = Registry()
    shop = Bench(tmp_path / "engine-0", registry)
    await shop.start(workflow("a>b", a="gate", b="add"))
    for number in range(1, 3):
        await registry["gate"].arrived.wait()
        registry["gate"].arrived.clear()
        await crash(shop, tmp_path / f"engine-{number}")
        shop = Bench(tmp_path / f"engine-{number}", registry)
        assert await shop.runs.recover() == 1
    await registry["gate"].arrived.wait()
    await crash(shop, tmp_path / "last")
    async with bench(tmp_path / "last", registry) as last:
        await last.runs.recover()
        watcher = Watcher()
        await last.runs.subscribe("run-1", watcher, 0)
        assert await watcher.end() == "FAILED"
        assert "3 times" in (last.runs.summary("run-1").error_message or "")
    assert len(registry["gate"].calls) == 3


async def test_an_orderly_end_interrupts_and_is_not_counted_as_a_crash(tmp_path: Path):
    registry = Registry()
    for _ in range(5):
        async with bench(tmp_path / "engine", registry) as shop:
            if not await shop.runs.recover():
                await shop.start(workflow("a>b", a="gate", b="add"))
            await registry["gate"].arrived.wait()
            registry["gate"].arrived.clear()
    registry["gate"].open.set()
    async with bench(tmp_path / "engine", registry) as shop:
        await shop.runs.recover()
        watcher = Watcher()
        await shop.runs.subscribe("run-1", watcher, 0)
        assert await watcher.end() == "SUCCEEDED"
        details = await shop.runs.details("run-1")
        assert details.nodes[0].attempts == 6
    assert registry["gate"].cancelled == 5


async def test_close_waits_for_running_steps_within_the_grace(tmp_path: Path):
    registry = Registry()
    shop = Bench(tmp_path / "engine", registry)
    await shop.start(workflow("a>b", a="once_gate", b="gate"))
    await registry["once_gate"].arrived.wait()
    closing = asyncio.create_task(shop.close(grace=20))
    await asyncio.sleep(0)
    registry["once_gate"].open.set()
    await closing
    async with bench(tmp_path / "engine", registry) as again:
        registry["gate"].open.set()
        assert await again.runs.recover() == 1
        watcher = Watcher()
        await again.runs.subscribe("run-1", watcher, 0)
        assert await watcher.end() == "SUCCEEDED"
    assert len(registry["once_gate"].calls) == 1


async def test_a_launched_once_step_that_the_end_cuts_off_is_unknown(tmp_path: Path):
    registry = Registry()
    async with bench(tmp_path / "engine", registry) as shop:
        await shop.start(chain(1, "once_gate"))
        await registry["once_gate"].arrived.wait()
    async with bench(tmp_path / "engine", registry) as again:
        assert await again.runs.recover() == 1
        watcher = Watcher()
        await again.runs.subscribe("run-1", watcher, 0)
        assert await watcher.end() == "FAILED"
        assert await again.nodes() == {"n0": "OUTCOME_UNKNOWN"}


async def test_a_paused_run_stays_paused(tmp_path: Path):
    registry = Registry()
    async with bench(tmp_path / "engine", registry) as shop:
        await shop.start(workflow("a>b", a="gate", b="effect"))
        await registry["gate"].arrived.wait()
        await shop.runs.pause("run-1", OWNER)
    registry["gate"].open.set()
    calls = len(registry["gate"].calls)
    async with bench(tmp_path / "engine", registry) as again:
        assert await again.runs.recover() == 1
        assert again.runs.summary("run-1").status is RunStatus.PAUSED
        watcher = Watcher()
        await again.runs.subscribe("run-1", watcher, 0)
        await again.run(chain(2), "another")
        assert len(registry["gate"].calls) == calls
        await again.runs.resume("run-1", OWNER)
        assert await watcher.end() == "SUCCEEDED"


async def test_a_stop_that_was_journaled_is_finished(tmp_path: Path):
    async with bench(tmp_path / "first", Registry()) as shop:
        await shop.start(workflow("a>b", "c>b", a="gate", b="add", c="once_gate"))
        await shop.registry["gate"].arrived.wait()
        await shop.registry["once_gate"].arrived.wait()
        await shop.runs.stop("run-1", OWNER)
        whole = load(shop)
    cut = next(i for i, x in enumerate(whole.records) if isinstance(x, r.StopRequested)) + 1
    await put(tmp_path / "cut", whole, whole.records[:cut])
    async with bench(tmp_path / "cut") as again:
        await again.runs.recover()
        watcher = Watcher()
        await again.runs.subscribe("run-1", watcher, 0)
        assert await watcher.end() == "STOPPED"
        assert set((await again.nodes()).values()) == {"CANCELLED"}


async def test_a_waiting_retry_survives(tmp_path: Path):
    registry = Registry()
    retry = {"attempts": 3, "delay_seconds": 0.3, "backoff": 1, "jitter": 0}
    node = {"module_id": "fail", "retry": retry, "config_values": {"times": 1}}
    async with bench(tmp_path / "engine", registry) as shop:
        watcher = await shop.start(workflow("a>b", a=node, b="add"))
        await watcher.until(lambda f: f.get("retry_in_seconds"))
    async with bench(tmp_path / "engine", registry) as again:
        assert await again.runs.recover() == 1
        assert await again.nodes() == {"a": "RETRYING", "b": "PENDING"}
        watcher = Watcher()
        await again.runs.subscribe("run-1", watcher, 0)
        assert await watcher.end() == "SUCCEEDED"
        assert (await again.runs.details("run-1")).nodes[0].attempts == 2


async def test_large_payloads_survive(tmp_path: Path):
    registry = Registry()
    async with bench(tmp_path / "engine", registry) as shop:
        await shop.start(
            workflow("a>b", "b>c", a="add", b="gate", c="add"), initial_payload=Payload({"x": "y" * 99_999})
        )
        await registry["gate"].arrived.wait()
    registry["gate"].open.set()
    async with bench(tmp_path / "engine", registry) as again:
        await again.runs.recover()
        watcher = Watcher()
        await again.runs.subscribe("run-1", watcher, 0)
        await watcher.end()
        assert (await again.output("b>c"))["x"] == "y" * 99_999


async def test_a_component_that_has_gone_fails_its_step_not_the_engine(tmp_path: Path):
    registry = Registry()
    async with bench(tmp_path / "engine", registry) as shop:
        await shop.start(workflow("a>b", "b>c", a="gate", b="talk", c="add"))
        await registry["gate"].arrived.wait()
    del registry.components["talk"]
    registry["gate"].open.set()
    async with bench(tmp_path / "engine", registry) as again:
        await again.runs.recover()
        watcher = Watcher()
        await again.runs.subscribe("run-1", watcher, 0)
        assert await watcher.end() == "FAILED"
        assert "talk is not installed" in (again.runs.summary("run-1").error_message or "")


def flip(folder: Path, run_id: str) -> None:
    """Change one bit in the middle of a run's last segment."""
    link = sqlite3.connect(folder / "engine.db")
    (number,) = link.execute("SELECT number FROM run WHERE id = ?", (run_id,)).fetchone()
    span = (number << 24, (number + 1) << 24)
    key, body = link.execute(
        "SELECT key, body FROM segment WHERE key > ? AND key < ? ORDER BY key DESC", span
    ).fetchone()
    spoiled = bytearray(body)
    spoiled[len(body) // 2] ^= 1
    link.execute("UPDATE segment SET body = ? WHERE key = ?", (bytes(spoiled), key))
    link.commit()
    link.close()


async def test_a_flipped_bit_holds_that_run_and_no_other(tmp_path: Path):
    folder = tmp_path / "engine"
    registry = Registry()
    async with bench(folder, registry) as shop:
        for name in ("bad", "good"):
            await shop.start(chain(2, "gate"), name)
        await shop.run(chain(2), "ended")
    flip(folder, "bad")
    flip(folder, "ended")
    registry["gate"].open.set()
    async with bench(folder, registry) as again:
        assert await again.runs.recover() == 1
        watcher = Watcher()
        await again.runs.subscribe("good", watcher, 0)
        assert await watcher.end() == "SUCCEEDED"
        for name in ("bad", "ended"):
            for call in (again.runs.details(name), again.runs.subscribe(name, Watcher(), 0)):
                with pytest.raises(FloworkError, match=name) as caught:
                    await call
                assert caught.value.code is ErrorCode.JOURNAL_CORRUPT
        held = again.runs.summary("bad")
        assert held.status is RunStatus.FAILED
        assert (held.error_message or "").startswith("JOURNAL_CORRUPT: Segment")
        with pytest.raises(FloworkError) as caught:
            await again.runs.pause("bad", OWNER)
        assert caught.value.code is ErrorCode.CONFLICT


@pytest.mark.parametrize(
    "damage", ["DELETE FROM segment", "DELETE FROM workflow", "UPDATE run SET records = 99"]
)
async def test_a_missing_part_is_never_skipped(tmp_path: Path, damage: str):
    folder = tmp_path / "engine"
    async with bench(folder) as shop:
        await shop.start(chain(2, "gate"))
    link = sqlite3.connect(folder / "engine.db")
    link.execute(damage)
    link.commit()
    link.close()
    async with bench(folder) as again:
        assert await again.runs.recover() == 0
        assert again.runs.summary("run-1").status is RunStatus.FAILED


async def test_a_second_crash_right_after_recovery_changes_nothing(tmp_path: Path):
    async with bench(tmp_path / "first", opened()) as shop:
        await shop.run(MIXED, initial_payload=Payload({"n": 1}))
        whole = load(shop)
    cut = (
        next(i for i, x in enumerate(whole.records) if isinstance(x, r.StepStarted) and x.policy == "keyed")
        + 1
    )
    await put(tmp_path / "cut", whole, whole.records[:cut])
    registry = Registry()
    shop = Bench(tmp_path / "cut", registry)
    await shop.runs.recover()
    await registry["keyed_gate"].arrived.wait()
    await crash(shop, tmp_path / "again")
    for name in ("gate", "keyed_gate"):
        registry[name].open.set()
    async with bench(tmp_path / "again", registry) as last:
        assert await last.runs.recover() == 1
        watcher = Watcher()
        await last.runs.subscribe("run-1", watcher, 0)
        assert await watcher.end() == "SUCCEEDED"
        assert set(results(load(last).records).values()) == {1}


def test_statuses_of_the_contract_are_all_known_to_the_fold():
    assert {status.value for status in RunStatus} == {"RUNNING", "PAUSED", "SUCCEEDED", "FAILED", "STOPPED"}
    assert len(NodeStatus) == 9
    assert set(RunMode) == {RunMode.EXECUTE, RunMode.SIMULATE}
