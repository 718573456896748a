"""Runs done again: whole, from a node on, on another version, and after a crash in the middle of that."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from core_engine.kernel.payload import Payload
from core_engine.kernel.ports import ParentStep, Rerun
from core_engine.workflow import records as r
from core_engine.workflow.archive import Archive
from core_engine.workflow.journal import decode_segments
from core_engine.workflow.library import Library
from shared.clock import SystemClock
from shared.contract.run import RunMode, RunStatus
from shared.errors import ErrorCode, FloworkError
from tests.core_engine.workflow.test_recovery import load, opened, put
from tests.core_engine.workflow.workshop import OWNER, Bench, Watcher, bench, chain, eventually, workflow

DIAMOND = workflow(
    "a>b", "a>c", "b>d", "c>d", "d>e", "f:error>g",
    a="effect", b="effect", c="add", d="effect", e="effect", f="fail", g="effect",
)  # fmt: skip


async def again(shop: Bench, source: str, new: str, **wish: Any) -> Watcher:
    """Do a run again and wait for the end."""
    request = await shop.runs.rerun_request(Rerun(run_id=source, new_run_id=new, by=OWNER, **wish))
    watcher = Watcher()
    await shop.runs.start(request, watcher)
    await watcher.end()
    return watcher


async def refused(shop: Bench, **wish: Any) -> FloworkError:
    with pytest.raises(FloworkError) as caught:
        await again(shop, "old", "new", **wish)
    return caught.value


def done(shop: Bench, run_id: str) -> list[str]:
    """Return the nodes whose effect happened in a run."""
    made = shop.registry["effect"].done
    return sorted(item.partition("/")[2] for item in made if item.startswith(f"{run_id}/"))


async def test_a_whole_run_is_done_again_with_what_it_was_given(tmp_path: Path):
    async with bench(tmp_path) as shop:
        await shop.run(DIAMOND, "old", initial_payload=Payload({"n": 5}), preset_name="Daily")
        await again(shop, "old", "new")
        assert done(shop, "new") == done(shop, "old") == ["a", "b", "d", "e", "g"]
        assert await shop.output("c>d", "new") == {"n": 6, "label": ""}
        summary = shop.runs.summary("new")
        assert (summary.origin, summary.preset_name, summary.parent_job_id) == ("rerun:old", "Daily", None)
        assert summary.workflow_hash == shop.runs.summary("old").workflow_hash
        await again(shop, "old", "other", initial_payload=Payload({"n": 50}))
        assert await shop.output("c>d", "other") == {"n": 51, "label": ""}


async def test_from_a_node_on_all_others_keep_their_results(tmp_path: Path):
    async with bench(tmp_path) as shop:
        await shop.run(DIAMOND, "old", initial_payload=Payload({"n": 1}))
        watcher = await again(shop, "old", "new", from_nodes=("d",))
        assert done(shop, "new") == ["d", "e"]
        details = await shop.runs.details("new")
        kept = {node.node_id: node.seeded_from for node in details.nodes}
        assert kept == {"a": "old", "b": "old", "c": "old", "d": None, "e": None, "f": "old", "g": "old"}
        assert await shop.nodes("new") == await shop.nodes("old")
        assert await shop.output("d>e", "new") == await shop.output("d>e", "old")
        assert watcher.seqs == list(range(1, len(watcher.seqs) + 1))
        assert watcher.statuses("b") == ["SUCCESS"]
        assert watcher.statuses("f") == ["ERROR"]
        assert watcher.statuses("d") == ["RUNNING", "SUCCESS"]


async def test_seeds_and_acceptance_are_one_write(tmp_path: Path):
    async with bench(tmp_path) as shop:
        await shop.run(DIAMOND, "old")
        await again(shop, "old", "new", from_nodes=("e",))
        journal = shop.store.archive.journal("new")
        assert journal is not None
        second = journal.segments[1][0] if len(journal.segments) > 1 else journal.run.records + 1
        records = decode_segments(journal.segments[:1], "new", second - 1)
        assert [type(record) for record in records[:7]] == [r.RunAccepted] + [r.StepSeeded] * 6


async def test_cut_at_every_record_after_the_seeds_the_rerun_reaches_its_end(tmp_path: Path):
    async with bench(tmp_path / "first", opened()) as shop:
        await shop.run(DIAMOND, "old", initial_payload=Payload({"n": 1}))
        await again(shop, "old", "run-1", from_nodes=("d",))
        whole = load(shop)
        expected = await shop.nodes()
        data = await shop.output("d>e")
    seeds = sum(isinstance(record, r.StepSeeded) for record in whole.records)
    for cut in range(1 + seeds, len(whole.records) + 1):
        folder = tmp_path / f"cut-{cut}"
        await put(folder, whole, whole.records[:cut])
        async with bench(folder, opened()) as shop:
            await shop.runs.recover()
            watcher = Watcher()
            await shop.runs.subscribe("run-1", watcher, 0)
            await watcher.end()
            nodes = await shop.nodes()
            unknown = {name for name, status in nodes.items() if status == "OUTCOME_UNKNOWN"}
            assert set(done(shop, "run-1")) <= {"d", "e"}
            if not unknown:
                assert nodes == expected
                assert await shop.output("d>e") == data


async def test_large_results_are_kept_by_their_files(tmp_path: Path):
    data = workflow("a>b", "b>c", a="add", b="add", c="add")
    async with bench(tmp_path / "engine") as shop:
        await shop.run(data, "old", initial_payload=Payload({"x": "y" * 200_000}))
        ended = shop.runs.summary("old").finished_at or 0
        await eventually(lambda: SystemClock().now_ms() > ended)
        await again(shop, "old", "new", from_nodes=("c",))
        assert await shop.store.delete_runs(shop.runs.summary("new").started_at) == 1
    async with bench(tmp_path / "engine") as shop:
        assert shop.store.archive.run("old") is None
        assert (await shop.output("b>c", "new"))["x"] == "y" * 200_000


def changed(data: dict[str, Any], node: str, **values: Any) -> dict[str, Any]:
    new = copy.deepcopy(data)
    next(item for item in new["nodes"] if item["id"] == node)["config_values"] = values
    return new


async def test_a_newer_version_is_matched_by_node_ids(tmp_path: Path):
    async with bench(tmp_path) as shop:
        await shop.run(chain(4), "old", initial_payload=Payload({"n": 0}))
        await again(shop, "old", "new", from_nodes=("n2",), workflow_data=changed(chain(4), "n3", amount=100))
        assert await shop.output("n2>n3", "new") == {"n": 3, "label": ""}
        error = await refused(shop, from_nodes=("n2",), workflow_data=changed(chain(4), "n1", amount=7))
        assert error.code is ErrorCode.CONFLICT
        assert error.details == [{"node_id": "n1", "problem": "was changed"}]
        await again(
            shop, "old", "new2", from_nodes=("n2",), rerun_changed=True,
            workflow_data=changed(chain(4), "n1", amount=7),
        )  # fmt: skip
        assert await shop.output("n2>n3", "new2") == {"n": 9, "label": ""}
        seeded = {node.node_id for node in (await shop.runs.details("new2")).nodes if node.seeded_from}
        assert seeded == {"n0"}


async def test_what_is_done_again_too_draws_in_what_leads_to_it(tmp_path: Path):
    """The changed node z leads to w, whose other input comes from the new node y."""
    old = workflow("z>w", "w>c", z="add", w="add", c="add")
    new = workflow("z>w", "y>q", "z>q", "q>c", "w>c", z="add", w="add", c="add", y="add", q="add")
    async with bench(tmp_path) as shop:
        await shop.run(old, "old")
        await again(shop, "old", "new", from_nodes=("c",), workflow_data=new, rerun_changed=True)
        kept = {node.node_id: node.seeded_from for node in (await shop.runs.details("new")).nodes}
        assert kept == {"z": "old", "w": "old", "c": None, "y": None, "q": None}
        assert set((await shop.nodes("new")).values()) == {"SUCCESS"}
        other = changed(new, "z", amount=5)
        await again(shop, "old", "new2", from_nodes=("w",), workflow_data=other, rerun_changed=True)
        kept = {node.node_id: node.seeded_from for node in (await shop.runs.details("new2")).nodes}
        assert set(kept.values()) == {None}


async def test_what_is_missing_is_named(tmp_path: Path):
    async with bench(tmp_path) as shop:
        await shop.run(chain(3), "old")
        shorter = workflow("n0>n2", n0="add", n2="add")
        error = await refused(shop, from_nodes=("n2",), workflow_data=shorter)
        assert error.details == [{"node_id": "n1", "problem": "is not in this version"}]
        longer = workflow("n0>n1", "n1>x", "x>n2", n0="add", n1="add", x="add", n2="add")
        error = await refused(shop, from_nodes=("n2",), workflow_data=longer)
        assert {"node_id": "x", "problem": "is new in this version"} in error.details
        error = await refused(shop, from_nodes=("nobody",))
        assert error.code is ErrorCode.NOT_FOUND


async def test_what_never_ran_cannot_be_kept_and_what_was_skipped_cannot_be_begun(tmp_path: Path):
    async with bench(tmp_path) as shop:
        await shop.run(workflow("a>b", "b>c", a="fail", b="add", c="add"), "old")
        error = await refused(shop, from_nodes=("c",))
        assert error.details[0] == {"node_id": "a", "problem": "has no result (ERROR)"}
        await shop.run(
            workflow("a:no>b", "a:yes>c", a="branch", b="add", c="add"),
            "skipped",
            initial_payload=Payload({}),
        )
        with pytest.raises(FloworkError, match="nothing led to it"):
            await again(shop, "skipped", "x", from_nodes=("b",))


async def test_from_the_failure_on(tmp_path: Path):
    async with bench(tmp_path) as shop:
        data = workflow(
            "a>b", "b>c", "x>y", a="effect", b={"module_id": "fail"}, c="effect", x="effect", y="effect"
        )
        await shop.run(data, "old")
        fixed = changed(data, "b", times=0)
        watcher = await again(shop, "old", "new", from_failed=True, workflow_data=fixed)
        assert await watcher.end() == "SUCCEEDED"
        assert done(shop, "new") == ["c"]
        with pytest.raises(FloworkError, match="Nothing of run new failed"):
            await again(shop, "new", "newer", from_failed=True)


async def test_what_stands_beside_and_has_no_result_is_left_out(tmp_path: Path):
    async with bench(tmp_path) as shop:
        await shop.run(workflow("a>b", "x>y", a="add", b="effect", x="fail", y="effect"), "old")
        watcher = await again(shop, "old", "new", from_nodes=("b",))
        assert await watcher.end() == "SUCCEEDED"
        assert await shop.nodes("new") == {"a": "SUCCESS", "b": "SUCCESS", "x": "SKIPPED", "y": "SKIPPED"}
        assert shop.runs.summary("old").status is RunStatus.FAILED


async def test_unfinished_runs_and_simulated_results(tmp_path: Path):
    async with bench(tmp_path) as shop:
        await shop.start(workflow("a>g", a="add", g="gate"), "old")
        assert (await refused(shop)).code is ErrorCode.CONFLICT
        shop.registry["gate"].open.set()
        await again(shop, "old", "new", of_unfinished=True)
        await shop.run(chain(2), "sim", mode=RunMode.SIMULATE)
        with pytest.raises(FloworkError, match="was simulated"):
            await again(shop, "sim", "x", from_nodes=("n1",), mode=RunMode.EXECUTE)
        await again(shop, "sim", "sim2", from_nodes=("n1",))
        assert shop.runs.summary("sim2").mode is RunMode.SIMULATE


async def test_a_child_run_is_done_again_by_itself(tmp_path: Path):
    async with bench(tmp_path) as shop:
        await shop.run(
            chain(3), "old", parent=ParentStep("mother", "loop", 4), effect_key="k", origin="child"
        )
        await again(shop, "old", "new", from_nodes=("n1",))
        summary = shop.runs.summary("new")
        assert (summary.parent_job_id, summary.item, summary.origin) == (None, None, "rerun:old")
        archive = Archive(shop.store, Library(shop.registry))
        assert archive.load("new").accepted.effect_key is None


async def test_a_run_from_a_start_node_stays_one(tmp_path: Path):
    async with bench(tmp_path) as shop:
        await shop.run(chain(4), "old", start_node_id="n1")
        await again(shop, "old", "new", from_nodes=("n2",))
        assert await shop.nodes("new") == {"n0": "SKIPPED", "n1": "SUCCESS", "n2": "SUCCESS", "n3": "SUCCESS"}
        with pytest.raises(FloworkError, match="nothing led to it"):
            await again(shop, "old", "x", from_nodes=("n0",))
