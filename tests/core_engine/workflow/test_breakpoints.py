"""Data that stops at connections: it waits over restarts, goes on when told, and a stop still wins."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core_engine.kernel.payload import Payload
from core_engine.workflow import records as r
from core_engine.workflow.aids import Pin, aids_option
from core_engine.workflow.parse import parse_workflow
from core_engine.workflow.planner import Planner
from shared.contract.run import RunStatus
from shared.errors import ErrorCode, FloworkError
from tests.core_engine.workflow.test_planner import branching, expected, finish, plans
from tests.core_engine.workflow.test_recovery import load, opened, put, results
from tests.core_engine.workflow.workshop import OWNER, Bench, Registry, Watcher, bench, chain, workflow

JOIN = workflow("a>b", "a>c", "b>d", "c>d", "d>e", a="add", b="add", c="effect", d="add", e="effect")


def stops(*names: str) -> dict[str, Any]:
    return {"options": aids_option({}, names)}


async def at(shop: Bench, run_id: str = "run-1") -> list[str]:
    return [held.connection_id for held in (await shop.runs.details(run_id)).at_breakpoints]


async def go(shop: Bench, connection: str | None = None, *, step: bool = False) -> None:
    await shop.runs.debug("run-1", lambda run: run.let_pass(connection, OWNER, step=step))


async def hit(watcher: Watcher, name: str) -> dict[str, Any]:
    return await watcher.until(lambda f: f["type"] == "BREAKPOINT_HIT" and f["connection_id"] == name)


async def test_data_stops_is_shown_and_goes_on(tmp_path: Path):
    async with bench(tmp_path) as shop:
        watcher = await shop.start(chain(3), initial_payload=Payload({"n": 4}), **stops("n0>n1"))
        event = await hit(watcher, "n0>n1")
        assert (event["source_node_id"], event["target_node_id"]) == ("n0", "n1")
        assert event["preview"] == '{"n":5,"label":""}'
        (held,) = (await shop.runs.details("run-1")).at_breakpoints
        assert (held.connection_id, held.preview) == ("n0>n1", event["preview"])
        assert await shop.nodes() == {"n0": "SUCCESS", "n1": "PENDING", "n2": "PENDING"}
        assert await shop.output("n0>n1") == {"n": 5, "label": ""}
        await shop.run(chain(2), "another")
        await go(shop, "n0>n1")
        assert await watcher.end() == "SUCCEEDED"
        assert watcher.seqs == list(range(1, len(watcher.seqs) + 1))
        assert await at(shop) == []


async def test_a_step_goes_to_the_next_connection(tmp_path: Path):
    async with bench(tmp_path) as shop:
        watcher = await shop.start(chain(4), **stops("n0>n1"))
        for name in ("n0>n1", "n1>n2", "n2>n3"):
            await hit(watcher, name)
            assert await at(shop) == [name]
            await go(shop, step=True)
        assert await watcher.end() == "SUCCEEDED"


async def test_a_join_waits_for_what_is_held(tmp_path: Path):
    async with bench(tmp_path) as shop:
        watcher = await shop.start(JOIN, **stops("b>d", "d>e"))
        await hit(watcher, "b>d")
        await watcher.until(lambda f: f.get("node_id") == "c" and f.get("status") == "SUCCESS")
        assert (await shop.nodes())["d"] == "PENDING"
        await go(shop)
        await hit(watcher, "d>e")
        await go(shop)
        assert await watcher.end() == "SUCCEEDED"
        assert await shop.output("d>e") == {"n": 2, "label": ""}


async def test_a_join_of_any_does_not_wait_for_what_is_held(tmp_path: Path):
    data = workflow("a>d", "b>d", a="add", b="add", d={"module_id": "add", "join": "any"})
    async with bench(tmp_path) as shop:
        watcher = await shop.run(data, **stops("a>d"))
        assert await watcher.end() == "SUCCEEDED"
        assert await at(shop) == []
        assert (await shop.nodes())["d"] == "SUCCESS"


async def test_a_stop_wins_and_a_pause_holds(tmp_path: Path):
    async with bench(tmp_path) as shop:
        watcher = await shop.start(chain(2), **stops("n0>n1"))
        await hit(watcher, "n0>n1")
        await shop.runs.pause("run-1", OWNER)
        await go(shop)
        assert await shop.nodes() == {"n0": "SUCCESS", "n1": "PENDING"}
        await shop.runs.resume("run-1", OWNER)
        assert await watcher.end() == "SUCCEEDED"
        other = await shop.start(chain(2), "run-2", **stops("n0>n1"))
        await hit(other, "n0>n1")
        await shop.runs.stop("run-2", OWNER)
        assert await other.end() == "STOPPED"
        assert await at(shop, "run-2") == []


async def test_breakpoints_are_set_and_taken_away_while_a_run_goes_on(tmp_path: Path):
    registry = Registry()
    async with bench(tmp_path, registry) as shop:
        watcher = await shop.start(workflow("g>a", "a>b", "b>c", g="gate", a="add", b="add", c="add"))
        await registry["gate"].arrived.wait()
        for names, wanted in ((["g>a", "a>b"], 2), (["b>c"], 1)):
            await shop.runs.debug("run-1", lambda run, names=names: run.set_breakpoints(names, OWNER))
            assert isinstance(load(shop).records[-1], r.BreakpointsSet)
            assert len(load(shop).records[-1].edges) == wanted
        registry["gate"].open.set()
        await hit(watcher, "b>c")
        assert await at(shop) == ["b>c"]
        await go(shop)
        assert await watcher.end() == "SUCCEEDED"


async def test_what_is_refused(tmp_path: Path):
    async def code(change: Any) -> ErrorCode:
        with pytest.raises(FloworkError) as caught:
            await shop.runs.debug("run-1", change)
        return caught.value.code

    async with bench(tmp_path) as shop:
        with pytest.raises(FloworkError, match="no connection nowhere"):
            await shop.start(chain(2), **stops("nowhere"))
        watcher = await shop.start(chain(3), **stops("n0>n1"))
        await hit(watcher, "n0>n1")
        assert await code(lambda run: run.let_pass("n1>n2", OWNER, step=False)) is ErrorCode.CONFLICT
        assert await code(lambda run: run.let_pass("x", OWNER, step=False)) is ErrorCode.NOT_FOUND
        assert await code(lambda run: run.set_breakpoints(["x"], OWNER)) is ErrorCode.NOT_FOUND
        await go(shop)
        await watcher.end()
        assert await code(lambda run: run.let_pass(None, OWNER, step=False)) is ErrorCode.CONFLICT


async def drive(shop: Bench) -> None:
    """Let a run go on wherever it stops, to its end."""
    watcher = Watcher()
    await shop.runs.subscribe("run-1", watcher, 0)
    while True:
        seen = len(watcher.frames)
        if shop.runs.summary("run-1").status.final:
            return
        if await at(shop):
            await go(shop)
        else:
            await watcher.until(lambda _, seen=seen: len(watcher.frames) > seen)


async def test_cut_at_every_record_the_run_stops_and_goes_on_as_before(tmp_path: Path):
    options = stops("a>b", "b>d", "d>e")
    async with bench(tmp_path / "first", opened()) as shop:
        await shop.start(JOIN, initial_payload=Payload({"n": 1}), **options)
        await drive(shop)
        whole = load(shop)
        expected, data = await shop.nodes(), await shop.output("d>e")
    kinds = [type(record) for record in whole.records]
    assert kinds.count(r.BreakpointHit) == kinds.count(r.BreakpointsPassed) == 3
    for cut in range(1, len(whole.records) + 1):
        folder = tmp_path / f"cut-{cut}"
        await put(folder, whole, whole.records[:cut])
        async with bench(folder, opened()) as shop:
            await shop.runs.recover()
            await drive(shop)
            records = load(shop).records
            hits = [record.edge for record in records if isinstance(record, r.BreakpointHit)]
            assert sorted(hits) == sorted({*hits}), "each stop is announced once"
            assert len(hits) == 3 or "OUTCOME_UNKNOWN" in (await shop.nodes()).values()
            assert set(results(records).values()) == {1}
            nodes = await shop.nodes()
            if "OUTCOME_UNKNOWN" not in nodes.values():
                assert (nodes, await shop.output("d>e")) == (expected, data)


async def test_cut_at_every_record_a_pin_is_used_once(tmp_path: Path):
    pins = {"a": Pin({"success": {"n": 7}}), "c": Pin(error="mocked")}
    data = workflow("a>b", "b>c", "c:error>d", a="effect", b="add", c="effect", d="add")
    async with bench(tmp_path / "first", opened()) as shop:
        await shop.run(data, options=aids_option(pins, ()))
        whole, expected = load(shop), await shop.nodes()
        assert expected == {"a": "SUCCESS", "b": "SUCCESS", "c": "ERROR", "d": "SUCCESS"}
        assert (await shop.output("c:error>d"))["error"] == "mocked"
        assert shop.registry["effect"].done == []
        assert shop.runs.summary("run-1").status is RunStatus.SUCCEEDED
    for cut in range(1, len(whole.records) + 1):
        folder = tmp_path / f"cut-{cut}"
        await put(folder, whole, whole.records[:cut])
        async with bench(folder, opened()) as shop:
            await shop.runs.recover()
            watcher = Watcher()
            await shop.runs.subscribe("run-1", watcher, 0)
            assert await watcher.end() == "SUCCEEDED"
            assert await shop.nodes() == expected
            pinned = [x.node for x in load(shop).records if isinstance(x, r.StepSeeded) and x.pinned]
            assert sorted(pinned) == [0, 2]


async def test_a_pin_takes_its_turn_only_where_the_run_comes_by(tmp_path: Path):
    async with bench(tmp_path) as shop:
        pins = {"b": Pin({"success": 1}), "c": Pin({"success": 2})}
        data = workflow("a:no>b", "a:yes>c", a="branch", b="add", c="add")
        await shop.run(data, initial_payload=Payload({}), options=aids_option(pins, ()))
        assert await shop.nodes() == {"a": "SUCCESS", "b": "SKIPPED", "c": "SUCCESS"}


def test_what_one_round_left_behind_does_not_wait_in_the_next():
    graph = parse_workflow(
        workflow("a>d", "b>d", a="add", b="add", d={"module_id": "add", "join": "any"}), Registry()
    )
    planner = Planner(graph, start=None, ahead=[True] * 3)
    planner.apply(r.BreakpointsSet(0, 0, (0,), "x"))
    for node, taken in ((0, (0,)), (1, (1,)), (2, ())):
        planner.apply(r.StepRan(0, 0, node, 1, 0.0, {}, taken))
    planner.apply(r.RoundStarted(0, 0, 1, 2, None, "RUNNING"))
    assert planner.at_breakpoints() == []
    planner.apply(r.BreakpointsPassed(0, 0, (0,), False, "x"))
    assert [planner.next_ahead(), planner.next_ahead(), planner.next_ahead()] == [0, 1, None]


@settings(max_examples=200, deadline=None)
@given(plans(), st.randoms(use_true_random=False))
def test_wherever_data_stops_the_run_ends_as_without(plan, rng):
    data, outcomes, start = plan
    graph = parse_workflow(data, branching())
    planner = Planner(graph, start=start, ahead=[True] * len(graph.nodes))
    edges = tuple(edge.index for edge in graph.edges if rng.random() < 0.5)
    planner.apply(r.BreakpointsSet(0, 0, edges, "x"))
    running: list[int] = []
    while True:
        held = planner.at_breakpoints()
        assert all(planner.status[graph.targets[edge]].value == "PENDING" for edge in held)
        node = planner.next_ahead()
        node = planner.next_claim() if node is None else node
        if held and (rng.random() < 0.3 or (node is None and not running)):
            some = tuple(edge for edge in held if rng.random() < 0.5) or tuple(held)
            planner.apply(r.BreakpointsPassed(0, 0, some, rng.random() < 0.3, "x"))
        if node is not None:
            running.append(node)
            if outcomes[node] != "disabled":
                planner.apply(r.StepStarted(0, 0, node, 1, 1, "repeatable"))
        elif running:
            node = running.pop(rng.randrange(len(running)))
            finish(graph, planner, node, outcomes[node], rng)
        elif not held:
            break
    ends, status = expected(graph, outcomes, start)
    assert [found.value for found in planner.status] == ends
    verdict = planner.verdict()
    assert verdict is not None
    assert verdict.status is status
