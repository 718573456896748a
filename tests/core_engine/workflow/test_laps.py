"""Nodes that run again and again, and workflows that run in rounds."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from core_engine.kernel.component import Component, Config, StepPolicy
from core_engine.kernel.payload import Payload, Result
from core_engine.kernel.suspension import Suspend
from core_engine.workflow import laps
from core_engine.workflow import records as r
from core_engine.workflow.laps import Condition, read_lap
from core_engine.workflow.parse import check_workflow
from shared.clock import SystemClock
from shared.contract.run import RunMode
from shared.errors import FloworkError
from tests.core_engine.workflow.test_planner import Script
from tests.core_engine.workflow.test_recovery import load
from tests.core_engine.workflow.workshop import OWNER, Registry, Watcher, bench, workflow


class Key(Component[Config]):
    """Counts, notes its idempotency key, and fails where it is told to."""

    id = "key"
    name = "Key"
    description = "Notes keys."
    category = "test"
    policy = StepPolicy.KEYED

    def __init__(self) -> None:
        self.keys: list[str] = []
        self.broken: set[tuple[int, int]] = set()

    def execute(self, context, config, payload):
        self.keys.append(context.idempotency_key)
        if (context.iteration, context.attempt) in self.broken:
            raise ValueError("it broke")
        return Result.on("success", {"n": payload.data.get("n", 0) + 1})

    def simulate(self, context, config, payload):
        return self.execute(context, config, payload)


class Ask(Component[Config]):
    """Sleeps a moment, then counts."""

    id = "ask"
    name = "Ask"
    description = "Asks."
    category = "test"

    def execute(self, context, config, payload):
        return Suspend(after_ms=1)

    def resume(self, context, config, payload, answer):
        return Result.on("success", {"n": payload.data.get("n", 0) + 1})


class Later(SystemClock):
    """An hour later."""

    def now_ms(self) -> int:
        return super().now_ms() + 3_600_000


def registry() -> Registry:
    return Registry((Key(), Ask()))


def looping(module: str, **config: Any) -> dict[str, Any]:
    retry = {"attempts": 2, "delay_seconds": 0.001}
    a = {"module_id": module, "config_values": {"enable_loop": True, **config}, "retry": retry}
    return workflow("a>z", a=a, z="add")


@pytest.mark.parametrize("module", ["add", "key", "ask"])
async def test_a_node_runs_as_often_as_it_says_each_time_with_what_the_last_gave(
    tmp_path: Path, module: str
) -> None:
    async with bench(tmp_path, registry()) as shop:
        watcher = await shop.run(looping(module, iterations=5), initial_payload=Payload({"n": 10}))
        assert watcher.frames[-1]["status_data"]["status"] == "SUCCEEDED"
        assert (await shop.output("a>z"))["n"] == 15
        node = (await shop.runs.details("run-1")).nodes[0]
        assert (node.iterations, node.attempts, node.status.value) == (5, 1, "SUCCESS")
        looped = [x for x in load(shop).records if isinstance(x, r.StepLooped)]
        assert [x.iteration for x in looped] == [0, 1, 2, 3]
        assert watcher.seqs == list(range(1, watcher.seqs[-1] + 1))


async def test_each_iteration_has_a_key_of_its_own_and_retries_keep_it(tmp_path: Path) -> None:
    known = registry()
    known["key"].broken = {(1, 1), (2, 1)}
    async with bench(tmp_path, known) as shop:
        await shop.run(looping("key", loop_type="count", loop_iterations="3"))
        keys = known["key"].keys
        assert len(keys) == 5
        assert keys[1] == keys[2]
        assert keys[3] == keys[4]
        assert len(set(keys)) == 3


async def test_an_iteration_that_fails_for_good_ends_the_loop_by_the_error_port(tmp_path: Path) -> None:
    known = registry()
    known["key"].broken = {(2, 1), (2, 2)}
    data = looping("key", iterations=9)
    data["connections"].append({"id": "a:error>z", "source": "a", "target": "z", "source_port_name": "error"})
    async with bench(tmp_path, known) as shop:
        await shop.run(data)
        broken = await shop.output("a:error>z")
        assert (broken["input"], broken["error"]) == ({"n": 2}, "it broke")


async def test_a_condition_is_looked_at_after_each_run(tmp_path: Path) -> None:
    condition = {"loop_type": "condition", "loop_condition_var": "data.n", "loop_condition_op": "!="}
    async with bench(tmp_path, registry()) as shop:
        await shop.run(looping("add", **condition, loop_condition_val="7"))
        assert (await shop.output("a>z"))["n"] == 7


async def test_a_loop_without_end_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core_engine.workflow.flowing.MOST_LAPS", 20)
    condition = {"loop_type": "condition", "loop_condition_var": "n", "loop_condition_op": "!="}
    async with bench(tmp_path, registry()) as shop:
        watcher = await shop.run(looping("add", **condition, loop_condition_val="x"))
        assert "LOOP_LIMIT" in watcher.frames[-1]["status_data"]["error_message"]
        assert laps.MOST_LAPS == 10_000


async def test_a_sleep_holds_no_slot_and_lasts_over_restarts(tmp_path: Path) -> None:
    data = looping("key", iterations=2, enable_sleep=True, sleep_type="static", static_duration=600)
    async with bench(tmp_path, registry()) as shop:
        watcher = await shop.start(data)
        await watcher.until(lambda frame: "Iteration 1 of 2" in frame.get("message", ""))
        assert not shop.runs.busy
        node = (await shop.runs.details("run-1")).nodes[0]
        assert node.status.value == "WAITING"
        assert node.next_at is not None
    known = registry()
    async with bench(tmp_path, known, clock=Later()) as again:
        await again.runs.recover()
        watcher = Watcher()
        await again.runs.subscribe("run-1", watcher, 0)
        assert await watcher.end() == "SUCCEEDED"
        assert len(known["key"].keys) == 1
        assert (await again.output("a>z"))["n"] == 2


async def test_a_stop_between_iterations_is_obeyed(tmp_path: Path) -> None:
    data = looping("key", iterations=2, enable_sleep=True, static_duration=600)
    async with bench(tmp_path, registry()) as shop:
        watcher = await shop.start(data)
        await watcher.until(lambda frame: "Iteration 1 of 2" in frame.get("message", ""))
        await shop.runs.stop("run-1", OWNER)
        assert await watcher.end() == "STOPPED"
        assert await shop.nodes() == {"a": "CANCELLED", "z": "CANCELLED"}


def test_a_paused_run_begins_no_further_iteration() -> None:
    for until in (None, 500):
        script = Script(workflow("a>z", a="gate", z="add"))
        assert script.ready() == ["a"]
        script.planner.apply(r.RunPaused(0, 0, OWNER))
        script.planner.apply(r.StepLooped(0, 0, 0, 1, 0, 0.0, {}, until))
        if until:
            assert script.status("a") == "WAITING"
            script.planner.nap_over(0)
        assert script.ready() == []
        script.planner.apply(r.RunResumed(0, 0, OWNER))
        assert script.ready() == ["a"]
        assert script.planner.iterations == {0: 1}


async def test_a_simulation_loops_without_sleep(tmp_path: Path) -> None:
    data = looping("key", iterations=3, enable_sleep=True, static_duration=600)
    async with bench(tmp_path, registry()) as shop:
        await shop.run(data, mode=RunMode.SIMULATE)
        assert (await shop.output("a>z"))["n"] == 3


async def test_large_results_pass_from_one_iteration_to_the_next(tmp_path: Path) -> None:
    async with bench(tmp_path, registry()) as shop:
        big = {"n": 0, "x": "y" * 100_000}
        await shop.run(looping("add", iterations=3), initial_payload=Payload(big))
        found = await shop.output("a>z")
        assert (found["n"], len(found["x"])) == (3, 100_000)


def test_settings_of_the_component_are_not_taken_for_a_loop() -> None:
    class Own(Config):
        iterations: int = 3

    own = type("OwnLoop", (Key,), {"config_model": Own})()
    found = read_lap({"enable_loop": "true", "iterations": 9, "loop_iterations": 4}, own)
    assert found is not None
    assert found.times == 4
    assert read_lap({"enable_loop": False, "iterations": 9}, own) is None
    assert read_lap({}, own) is None


@pytest.mark.parametrize(
    "config",
    [
        {"iterations": 10_001},
        {"iterations": "often"},
        {"iterations": -1},
        {"loop_type": "condition"},
        {"loop_type": "condition", "loop_condition_var": "n", "loop_condition_op": ">"},
        {"enable_sleep": True, "static_duration": 1e12},
    ],
)
def test_a_wrong_loop_is_a_problem(config: dict[str, Any]) -> None:
    problems = check_workflow(looping("add", **config), registry())
    assert [(problem.node_id, problem.field) for problem in problems] == [("a", "enable_loop")]


@pytest.mark.parametrize(
    ("data", "path", "value", "same"),
    [
        ({"done": True}, "done", "true", True),
        ({"done": False}, "data.done", "no", True),
        ({"n": 3}, "n", "3.0", True),
        ({"n": 3}, "n", "x", False),
        ({"list": [{"s": "a"}]}, "list.0.s", "a", True),
        ({}, "missing.way", "", True),
        ({}, "missing", None, True),
        ({"o": {"a": 1}}, "o", {"a": 1}, True),
    ],
)
def test_values_are_compared_as_what_they_are(data: Any, path: str, value: Any, same: bool) -> None:
    for equal in (True, False):
        assert Condition(tuple(path.split(".")), equal, value).holds(Payload(data)) is (same is equal)


def test_a_random_sleep_stays_in_its_range() -> None:
    values = {
        "enable_loop": 1,
        "enable_sleep": 1,
        "sleep_type": "random_range",
        "random_min": 4,
        "random_max": 2,
    }
    rule = read_lap(values, Key())
    assert rule is not None
    assert all(2 <= rule.sleep_seconds(random.Random(seed)) <= 4 for seed in range(50))


# Rounds of the whole workflow.


def rounds(count: int, **more: Any) -> dict[str, Any]:
    loop = {"isEnabled": True, "iterations": count, **more}
    return workflow("a>b", a="key", b="add") | {"global_loop_config": loop}


async def test_the_whole_workflow_runs_in_rounds_each_from_an_empty_payload(tmp_path: Path) -> None:
    known = registry()
    async with bench(tmp_path, known) as shop:
        watcher = await shop.run(rounds(3), initial_payload=Payload({"n": 10}))
        assert [frame["status_data"]["status"] for frame in watcher.of("workflow_status_update")] == [
            "RUNNING", "RUNNING", "RUNNING", "SUCCEEDED",
        ]  # fmt: skip
        history = await shop.runs.connection_history("run-1", "a>b")
        assert [entry["data"]["n"] for entry in history] == [11, 1, 1]
        assert len(set(known["key"].keys)) == 3
        details = await shop.runs.details("run-1", 2)
        assert (details.round, details.rounds) == (2, 3)
        assert [node.status.value for node in details.nodes] == ["SUCCESS", "SUCCESS"]
        assert (await shop.runs.details("run-1")).round == 3
        with pytest.raises(FloworkError, match="no round 4"):
            await shop.runs.details("run-1", 4)
        assert watcher.seqs == list(range(1, watcher.seqs[-1] + 1))


async def test_a_round_that_fails_is_the_last_and_a_loop_not_enabled_is_none(tmp_path: Path) -> None:
    known = registry()
    known["key"].broken = {(0, 1)}
    async with bench(tmp_path, known) as shop:
        watcher = await shop.run(rounds(3))
        assert watcher.frames[-1]["status_data"]["status"] == "FAILED"
        known["key"].broken = set()
        await shop.run(rounds(3) | {"global_loop_config": {"isEnabled": False, "iterations": 5}}, "run-2")
        assert len(await shop.runs.connection_history("run-2", "a>b")) == 1


async def test_what_a_disabled_delay_says_does_not_matter(tmp_path: Path) -> None:
    async with bench(tmp_path, registry()) as shop:
        await shop.run(rounds(2, isDelayEnabled=False, delayStatic=None, delayRandomMin=""))
        assert len(await shop.runs.connection_history("run-1", "a>b")) == 2


async def test_the_delay_between_rounds_lasts_over_a_restart_and_ends_at_a_stop(tmp_path: Path) -> None:
    delayed = {"isDelayEnabled": True, "delayType": "static"}
    async with bench(tmp_path, registry()) as shop:
        watcher = await shop.start(rounds(2, **delayed, delayStatic=600))
        await watcher.until(lambda frame: "Round 1 of 2" in frame.get("message", ""))
        other = await shop.start(rounds(2, **delayed, delayStatic=86_400), "run-2")
        await other.until(lambda frame: "Round 1 of 2" in frame.get("message", ""))
        assert not shop.runs.busy
    async with bench(tmp_path, registry(), clock=Later()) as again:
        await again.runs.recover()
        watcher = Watcher()
        await again.runs.subscribe("run-1", watcher, 0)
        assert await watcher.end() == "SUCCEEDED"
        assert len(await again.runs.connection_history("run-1", "a>b")) == 2
        await again.runs.stop("run-2", OWNER)
        assert again.runs.summary("run-2").status.value == "STOPPED"


async def test_a_simulation_does_not_wait_between_rounds_and_the_final_part_runs_once(tmp_path: Path) -> None:
    data = rounds(4, isDelayEnabled=True, delayType="random_range", delayRandomMin=500, delayRandomMax=600)
    data["nodes"].append({"id": "f", "name": "F", "module_id": "talk", "finally": True})
    async with bench(tmp_path, registry()) as shop:
        watcher = await shop.run(data, mode=RunMode.SIMULATE)
        assert watcher.statuses("f") == ["RUNNING", "SUCCESS"]
        assert watcher.statuses("b") == ["RUNNING", "SUCCESS"] * 4
