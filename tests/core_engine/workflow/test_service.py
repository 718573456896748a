"""The run service end to end on a real journal: what clients see and what is kept."""

from __future__ import annotations

import asyncio
import itertools
import time
from typing import ClassVar

import pytest

from core_engine.kernel.component import Component, Config, Execution
from core_engine.kernel.payload import Payload, Result
from core_engine.kernel.ports import StartRun
from core_engine.workflow import Variable
from shared.contract.run import RunMode, RunStatus
from shared.errors import ErrorCode, FloworkError
from tests.core_engine.places import WORKERS
from tests.core_engine.workflow.workshop import (
    OWNER,
    Bench,
    Registry,
    Watcher,
    bench,
    chain,
    eventually,
    is_final,
    workflow,
)


@pytest.fixture
async def shop(tmp_path):
    async with bench(tmp_path / "engine") as made:
        yield made


async def refused(awaitable) -> FloworkError:
    with pytest.raises(FloworkError) as caught:
        await awaitable
    return caught.value


async def test_events_of_a_chain_come_in_the_documented_order(shop: Bench):
    watcher = await shop.run(chain(2), initial_payload=Payload({"n": 5}))
    shown = [(f["type"], f.get("node_id") or f.get("connection_id"), f.get("status")) for f in watcher.frames]
    assert shown == [
        ("workflow_status_update", None, None),
        ("NODE_EXECUTION_METRIC", "n0", "RUNNING"),
        ("NODE_EXECUTION_METRIC", "n0", "SUCCESS"),
        ("CONNECTION_STATUS_UPDATE", "n0>n1", "ACTIVE"),
        ("NODE_EXECUTION_METRIC", "n1", "RUNNING"),
        ("NODE_EXECUTION_METRIC", "n1", "SUCCESS"),
        ("log", None, None),
        ("workflow_status_update", None, None),
    ]
    assert watcher.seqs == list(range(1, 9))
    final_log, final = watcher.frames[-2:]
    assert final_log["message"] == "Workflow finished: SUCCEEDED"
    assert (final_log["source"], final_log["workflow_context_id"]) == ("Executor", "run-1")
    assert final["status_data"]["end_time"] >= final["status_data"]["start_time"]
    assert await shop.output("n0>n1") == {"n": 6, "label": ""}


async def test_start_answers_with_the_first_event(shop: Bench):
    watcher = Watcher()
    frame = await shop.runs.start(StartRun("run-1", chain(1), OWNER), watcher)
    assert frame["status_data"]["status"] == "RUNNING"
    assert frame == watcher.frames[0]


async def test_the_objects_of_a_run_keep_their_members_in_place(shop: Bench):
    """CPython does so for up to thirty of a class; each object with more has a dictionary of its own, which is slow."""
    seen = []
    shop.runs.on_records(lambda run, _: seen.append(run))
    await shop.run(chain(2))
    run = seen[0]
    assert all(len(getattr(part, "__dict__", ())) <= 30 for part in (run, run.state, run.state.planner))


async def test_the_same_start_again_starts_nothing(shop: Bench):
    data = workflow("a>b", a="gate", b="effect")
    first = await shop.start(data)
    second = Watcher()
    frame = await shop.runs.start(StartRun("run-1", data, OWNER), second)
    assert (frame["seq"], frame["status_data"]["status"]) == (1, "RUNNING")
    again = Watcher()
    both = await asyncio.gather(
        shop.runs.start(StartRun("run-1", data, OWNER), again),
        shop.runs.start(StartRun("run-1", data, OWNER), again),
    )
    assert both[0] == both[1] == frame
    shop.registry["gate"].open.set()
    assert await first.end() == await second.end() == await again.end() == "SUCCEEDED"
    assert again.seqs == sorted(set(again.seqs))
    assert shop.registry["effect"].done == ["run-1/b"]


async def test_the_same_start_after_the_end_answers_the_final_state(shop: Bench):
    await shop.run(chain(1))
    watcher = Watcher()
    frame = await shop.runs.start(StartRun("run-1", chain(1), OWNER), watcher)
    assert frame["status_data"]["status"] == "SUCCEEDED"
    assert watcher.frames == []
    assert shop.runs.open_runs == 0


async def test_simultaneous_starts_of_a_run_that_ended_all_get_its_state(shop: Bench):
    await shop.run(chain(1))
    request = StartRun("run-1", chain(1), OWNER)
    answers = await asyncio.gather(*(shop.runs.start(request, Watcher()) for _ in range(5)))
    assert {answer["status_data"]["status"] for answer in answers} == {"SUCCEEDED"}
    assert shop.runs.open_runs == 0


@pytest.mark.parametrize("ended", [False, True])
async def test_a_taken_id_with_other_content_is_a_conflict(shop: Bench, ended: bool):
    if ended:
        await shop.run(chain(1))
    else:
        await shop.start(chain(1, "gate"))
    mine = chain(1) if ended else chain(1, "gate")
    other_workflow = StartRun("run-1", chain(3), OWNER)
    other_starter = StartRun("run-1", mine, "0x" + "b" * 40)
    for request in (other_workflow, other_starter):
        assert (await refused(shop.runs.start(request, Watcher()))).code is ErrorCode.CONFLICT


async def test_a_wrong_workflow_is_refused_with_every_problem(shop: Bench):
    data = workflow("a>b", a="nothing", b={"module_id": "add", "config_values": {"amount": "many"}})
    error = await refused(shop.runs.start(StartRun("run-1", data, OWNER)))
    assert error.code is ErrorCode.INVALID_WORKFLOW
    assert [(item["node_id"], item.get("field")) for item in error.details] == [("a", None), ("b", "amount")]
    assert [problem.node_id for problem in shop.runs.validate(data)] == ["a", "b"]
    assert (await refused(shop.runs.details("run-1"))).code is ErrorCode.NOT_FOUND


async def test_unknown_runs_are_not_found(shop: Bench):
    for call in (
        shop.runs.stop("nope", OWNER),
        shop.runs.pause("nope", OWNER),
        shop.runs.resume("nope", OWNER),
        shop.runs.details("nope"),
        shop.runs.subscribe("nope", Watcher(), 0),
        shop.runs.connection_history("nope", "x"),
    ):
        assert (await refused(call)).code is ErrorCode.NOT_FOUND
    with pytest.raises(FloworkError):
        shop.runs.summary("nope")


async def test_an_unusable_id_is_refused(shop: Bench):
    assert (
        await refused(shop.runs.start(StartRun("../x", chain(1), OWNER)))
    ).code is ErrorCode.INVALID_REQUEST


async def test_error_port_handles_a_raised_error(shop: Bench):
    data = workflow("a:error>b", "a>c", a="fail", b="talk", c="add")
    watcher = await shop.run(data, initial_payload=Payload({"city": "Bandung"}))
    assert await watcher.end() == "SUCCEEDED"
    assert await shop.nodes() == {"a": "ERROR", "b": "SUCCESS", "c": "SKIPPED"}
    carried = await shop.output("a:error>b")
    assert (carried["error"], carried["code"], carried["input"]) == (
        "it broke",
        "COMPONENT_FAILED",
        {"city": "Bandung"},
    )
    assert await shop.output("a>c") is None


async def test_an_unhandled_failure_ends_the_run_failed_after_the_other_branches(shop: Bench):
    data = workflow("a>b", "a>c", "c>d", a="add", b="fail", c="gate", d="add")
    watcher = await shop.start(data)
    await watcher.until(lambda f: f.get("node_id") == "b" and f.get("status") == "ERROR")
    assert not any(map(is_final, watcher.frames))
    shop.registry["gate"].open.set()
    assert await watcher.end() == "FAILED"
    assert await shop.nodes() == {"a": "SUCCESS", "b": "ERROR", "c": "SUCCESS", "d": "SUCCESS"}
    assert shop.runs.summary("run-1").error_message == "B: it broke"


async def test_several_ports_open_their_own_edges_only(shop: Bench):
    data = workflow(
        "s:yes>a", "s:no>b", "s:maybe>c", "a>d", "b>d", "c>d",
        s={"module_id": "branch", "config_values": {"ports": ["yes", "maybe"]}},
        a="add", b="add", c="add", d="add",
    )  # fmt: skip
    await shop.run(data, initial_payload=Payload({}))
    assert await shop.nodes() == {
        "s": "SUCCESS",
        "a": "SUCCESS",
        "b": "SKIPPED",
        "c": "SUCCESS",
        "d": "SUCCESS",
    }
    assert (await shop.output("c>d"))["port"] == "maybe"


async def test_a_join_merges_objects_in_connection_order_and_lists_other_values(shop: Bench):
    class Inputs(Component[Config]):
        id, name, description, category = "inputs", "Inputs", "Shows its inputs.", "test"

        def execute(self, context, config, payload):
            seen = [(i.connection_id, i.source_id, i.source_port, i.target_port) for i in context.inputs]
            return Result.on("success", {"data": payload.data, "seen": seen, "history": payload.history})

    class Emit(Component[Config]):
        id, name, description, category = "emit", "Emit", "Emits its own settings.", "test"

        class Model(Config):
            value: object = None

        config_model = Model

        def execute(self, context, config, payload):
            return Result.on("success", config.value, [context.node_id])

    shop.registry.components |= {"inputs": Inputs(), "emit": Emit()}

    def emit(value):
        return {"module_id": "emit", "config_values": {"value": value}}

    data = workflow("b>j", "a>j", "j>k", a=emit({"x": 1, "y": 1}), b=emit({"y": 2}), j="inputs", k="add")
    await shop.run(data)
    joined = await shop.output("j>k")
    assert joined["data"] == {"x": 1, "y": 1}
    assert joined["history"] == ["b", "a"]
    assert joined["seen"] == [["b>j", "b", "success", "input"], ["a>j", "a", "success", "input"]]
    data = workflow("b>j", "a>j", "j>k", a=emit({"x": 1}), b=emit(7), j="inputs", k="add")
    await shop.run(data, "run-2")
    assert (await shop.output("j>k", "run-2"))["data"] == [7, {"x": 1}]


async def test_join_any_runs_once_at_the_first(shop: Bench):
    data = workflow("a>j", "g>j", "j>k", a="add", g="gate", j={"module_id": "add", "join": "any"}, k="effect")
    watcher = await shop.start(data)
    await watcher.until(lambda f: f.get("node_id") == "k" and f.get("status") == "SUCCESS")
    shop.registry["gate"].open.set()
    assert await watcher.end() == "SUCCEEDED"
    assert watcher.statuses("j") == ["RUNNING", "SUCCESS"]
    assert shop.registry["effect"].done == ["run-1/k"]


async def test_a_disabled_node_passes_its_payload(shop: Bench):
    data = workflow("a>b", "b>c", "c>d", a="add", b={"module_id": "fail", "disabled": True}, c="add", d="add")
    watcher = await shop.run(data, initial_payload=Payload({"n": 1}))
    assert await watcher.end() == "SUCCEEDED"
    assert await shop.nodes() == {"a": "SUCCESS", "b": "SKIPPED", "c": "SUCCESS", "d": "SUCCESS"}
    assert (await shop.output("c>d"))["n"] == 3
    assert watcher.statuses("b") == []


async def test_run_from_a_node_runs_only_what_is_downstream(shop: Bench):
    data = workflow("a>b", "x>c", "b>c", "c>d", a="effect", x="effect", b="add", c="add", d="talk")
    watcher = await shop.run(data, start_node_id="b", initial_payload=Payload({"n": 1}))
    assert await watcher.end() == "SUCCEEDED"
    assert await shop.nodes() == {
        "a": "SKIPPED", "x": "SKIPPED", "b": "SUCCESS", "c": "SUCCESS", "d": "SUCCESS",
    }  # fmt: skip
    assert (await shop.output("c>d"))["n"] == 3
    error = await refused(shop.runs.start(StartRun("run-2", data, OWNER, start_node_id="zz")))
    assert error.code is ErrorCode.INVALID_WORKFLOW


async def test_retries_are_visible_and_end_in_success(shop: Bench):
    retry = {"attempts": 3, "delay_seconds": 0.01, "backoff": 1}
    node = {"module_id": "fail", "retry": retry, "config_values": {"times": 2}}
    watcher = await shop.run(workflow("a>b", a=node, b="add"))
    assert await watcher.end() == "SUCCEEDED"
    frames = [f for f in watcher.of("NODE_EXECUTION_METRIC") if f["node_id"] == "a"]
    shown = [(f["status"], f["attempt"], "retry_in_seconds" in f) for f in frames[:-1]]
    assert shown == [
        ("RUNNING", 1, False), ("ERROR", 1, True), ("RUNNING", 2, False), ("ERROR", 2, True), ("RUNNING", 3, False),
    ]  # fmt: skip
    assert (frames[-1]["status"], frames[-1]["attempt"]) == ("SUCCESS", 3)
    assert (await shop.runs.details("run-1")).nodes[0].attempts == 3


async def test_retries_stop_at_the_policy_and_not_for_hopeless_errors(shop: Bench):
    class Forbidden(Component[Config]):
        id, name, description, category = "forbidden", "Forbidden", "May not.", "test"

        def execute(self, context, config, payload):
            raise FloworkError(ErrorCode.FORBIDDEN, "you may not")

    shop.registry.components["forbidden"] = Forbidden()
    retry = {"attempts": 2, "delay_seconds": 0}
    data = workflow(a={"module_id": "fail", "retry": retry}, b={"module_id": "forbidden", "retry": retry})
    watcher = await shop.run(data)
    assert watcher.statuses("a") == ["RUNNING", "ERROR", "RUNNING", "ERROR"]
    assert watcher.statuses("b") == ["RUNNING", "ERROR"]


async def test_a_timeout_interrupts_an_async_step(shop: Bench, place: str):
    data = workflow("a:error>b", a={"module_id": "gate", "timeout_seconds": 0.05}, b="add")
    watcher = await shop.run(data)
    assert await watcher.end() == "SUCCEEDED"
    assert (await shop.output("a:error>b"))["code"] == "DEADLINE_EXCEEDED"
    gate = shop.registry["gate"]
    await eventually(lambda: gate.cancelled == len(gate.calls))
    assert len(gate.calls) == 1 or (place == WORKERS and not gate.calls), "a worker may be as slow as that"


async def test_a_timeout_of_a_step_that_must_not_repeat_leaves_its_outcome_unknown(shop: Bench, place: str):
    node = {"module_id": "once_gate", "timeout_seconds": 0.05, "retry": {"attempts": 3, "delay_seconds": 0}}
    watcher = await shop.run(workflow(a=node))
    assert await watcher.end() == "FAILED"
    assert await shop.nodes() == {"a": "OUTCOME_UNKNOWN"}
    assert "OUTCOME_UNKNOWN" in (shop.runs.summary("run-1").error_message or "")
    assert len(shop.registry["once_gate"].calls) <= 1
    assert shop.registry["once_gate"].calls or place == WORKERS, "a worker may be as slow as that"


async def test_stop_interrupts_and_answers_with_the_final_status(shop: Bench):
    watcher = await shop.start(workflow("a>b", "c>b", a="gate", b="effect", c="keyed_gate"))
    await shop.registry["gate"].arrived.wait()
    await shop.registry["keyed_gate"].arrived.wait()
    frame = await shop.runs.stop("run-1", OWNER)
    assert frame["status_data"]["status"] == "STOPPED"
    assert frame == watcher.frames[-1]
    assert await shop.nodes() == {"a": "CANCELLED", "b": "CANCELLED", "c": "CANCELLED"}
    await eventually(lambda: shop.registry["gate"].cancelled == 1)
    assert await shop.runs.stop("run-1", OWNER) == frame
    errors = {f["node_id"]: f["error"] for f in watcher.of("NODE_EXECUTION_METRIC") if f["status"] == "ERROR"}
    assert "effect" not in errors["a"]
    assert "effect" in errors["c"]
    assert shop.registry["effect"].done == []


async def test_a_stopped_thread_is_abandoned_and_its_result_refused(shop: Bench):
    blocker = shop.registry["blocker"]
    watcher = await shop.start(workflow("a>b", a="blocker", b="effect"))
    await asyncio.to_thread(blocker.entered.wait, 10)
    assert (await shop.runs.stop("run-1", OWNER))["status_data"]["status"] == "STOPPED"
    assert shop.runs.busy
    count = len(watcher.frames)
    blocker.release.set()
    await eventually(lambda: not shop.runs.busy)
    assert len(watcher.frames) == count
    assert shop.registry["effect"].done == []


async def test_thread_steps_run_beside_the_loop_and_log(shop: Bench):
    shop.registry["blocker"].release.set()
    watcher = await shop.run(workflow("a>b", a="blocker", b="add"))
    assert await watcher.end() == "SUCCEEDED"
    assert next(f["message"] for f in watcher.of("log")) == "on a thread"
    assert watcher.of("log")[0]["seq"] < next(
        f["seq"] for f in watcher.of("NODE_EXECUTION_METRIC") if f["status"] == "SUCCESS"
    )
    assert (await shop.output("a>b"))["thread"].startswith("step-")


async def test_pause_lets_running_steps_finish_and_starts_none(shop: Bench):
    watcher = await shop.start(workflow("a>b", a="gate", b="effect"))
    await shop.registry["gate"].arrived.wait()
    paused = await shop.runs.pause("run-1", OWNER)
    assert paused["status_data"]["status"] == "PAUSED"
    assert await shop.runs.pause("run-1", OWNER) == paused
    shop.registry["gate"].open.set()
    await watcher.until(lambda f: f.get("node_id") == "a" and f.get("status") == "SUCCESS")
    assert shop.registry["effect"].done == []
    assert shop.runs.summary("run-1").status is RunStatus.PAUSED
    resumed = await shop.runs.resume("run-1", OWNER)
    assert resumed["status_data"]["status"] in {"RUNNING", "SUCCEEDED"}
    assert await watcher.end() == "SUCCEEDED"
    assert shop.registry["effect"].done == ["run-1/b"]
    for call in (shop.runs.pause("run-1", OWNER), shop.runs.resume("run-1", OWNER)):
        assert (await refused(call)).code is ErrorCode.CONFLICT


async def test_resume_of_a_running_run_is_a_conflict(shop: Bench):
    await shop.start(chain(1, "gate"))
    assert (await refused(shop.runs.resume("run-1", OWNER))).code is ErrorCode.CONFLICT


async def test_simulation_has_no_effect(shop: Bench):
    data = workflow("a>b", "b>c", a="effect", b="once_gate", c="add")
    watcher = await shop.run(data, mode=RunMode.SIMULATE)
    assert await watcher.end() == "SUCCEEDED"
    assert (shop.registry["effect"].done, shop.registry["effect"].simulated) == ([], 1)
    assert shop.registry["once_gate"].calls == []
    assert shop.runs.summary("run-1").mode is RunMode.SIMULATE


async def test_expressions_see_data_other_nodes_variables_and_the_run(tmp_path):
    class Vars:
        def get(self, name, owner):
            assert owner == OWNER
            return {"CITY": Variable("Bandung"), "KEY": Variable("s3cret-value", secret=True)}.get(name)

    async with bench(tmp_path / "engine") as shop:
        object.__setattr__(shop.runs._env, "variables", Vars())
        label = (
            "{{vars.CITY}} {{ data.n }} {{ nodes.A.data.n }} {{nodes.a.data.label}} {{run.id}} {{vars.NOPE}}"
        )
        b = {"module_id": "add", "config_values": {"amount": "{{ data.n }}", "label": label}}
        c = {"module_id": "fail", "config_values": {"text": "wrong key {{vars.KEY}}"}}
        data = workflow("a>b", "b>c", a={"module_id": "add", "config_values": {"label": "first"}}, b=b, c=c)
        watcher = await shop.run(data, initial_payload=Payload({"n": 2}))
        assert await shop.output("b>c") == {"n": 6, "label": "Bandung 3 3 first run-1 {{vars.NOPE}}"}
        assert shop.runs.summary("run-1").error_message == "C: wrong key •••"
        assert "s3cret-value" not in str(watcher.frames)


async def test_settings_that_are_wrong_at_run_time_fail_the_step(shop: Bench):
    data = workflow(
        a={"module_id": "add", "config_values": {"amount": "{{ data.city }}"}, "retry": {"attempts": 5}}
    )
    watcher = await shop.run(data, initial_payload=Payload({"city": "Bandung"}))
    assert await watcher.end() == "FAILED"
    assert watcher.statuses("a") == ["RUNNING", "ERROR"]
    assert "amount" in (shop.runs.summary("run-1").error_message or "")


@pytest.mark.parametrize(
    "returned", [None, {"data": 1}, Result({"success": Payload(object())}), Result({"\ud800": Payload(1)})]
)
async def test_a_component_that_returns_nonsense_fails_its_step_only(shop: Bench, returned):
    class Odd(Component[Config]):
        id, name, description, category = "odd", "Odd", "Odd.", "test"

        def execute(self, context, config, payload):
            return returned

    shop.registry.components["odd"] = Odd()
    watcher = await shop.run(workflow(a="odd", b="add"))
    assert await shop.nodes() == {"a": "ERROR", "b": "SUCCESS"}
    assert await watcher.end() == "FAILED"


async def test_a_plain_component_that_returns_a_coroutine_fails_its_step(shop: Bench):
    class Late(Component[Config]):
        id, name, description, category = "late", "Late", "Late.", "test"

        async def execute(self, context, config, payload):
            return Result({"success": payload})

    shop.registry.components["late"] = Late()
    await shop.run(chain(1, "late"))
    assert "coroutine" in (shop.runs.summary("run-1").error_message or "")


async def test_steps_cannot_disturb_each_other_through_shared_data(shop: Bench):
    class Spoil(Component[Config]):
        id, name, description, category = "spoil", "Spoil", "Changes what it was given.", "test"

        def execute(self, context, config, payload):
            payload.data["list"].append(context.node_id)
            payload.data["n"] = 99
            return Result({"success": payload})

    shop.registry.components["spoil"] = Spoil()
    data = workflow("a>b", "a>c", "b>d", "c>e", a="add", b="spoil", c="spoil", d="add", e="add")
    await shop.run(data, initial_payload=Payload({"n": 0, "list": []}))
    assert (await shop.output("b>d"))["list"] == ["b"]
    assert (await shop.output("c>e"))["list"] == ["c"]
    assert (await shop.output("a>c")) == {"n": 1, "list": [], "label": ""}


async def test_large_payloads_live_in_files_and_are_read_back(shop: Bench, tmp_path):
    big = "x" * 100_000
    watcher = await shop.run(chain(3), initial_payload=Payload({"big": big}))
    assert await watcher.end() == "SUCCEEDED"
    assert (await shop.output("n1>n2"))["big"] == big
    files = sorted((tmp_path / "engine" / "blobs").glob("??/*"))
    assert len(files) == 4
    assert await shop.store.delete_runs(2**62) == 1
    assert list((tmp_path / "engine" / "blobs").glob("??/*")) == []
    assert (await refused(shop.runs.details("run-1"))).code is ErrorCode.NOT_FOUND


async def test_log_limit_is_kept_with_one_warning(shop: Bench):
    data = workflow("a>b", a={"module_id": "talk", "config_values": {"lines": 10_050}}, b="talk")
    watcher = await shop.run(data)
    logs = [f for f in watcher.of("log") if "node_id" in f]
    assert len(logs) == 10_001
    assert (logs[-1]["level"], logs[-1]["message"][:17]) == ("WARN", "Log limit reached")


async def test_popups_and_lines_come_between_start_and_end_of_their_step(shop: Bench):
    data = workflow(a={"module_id": "talk", "config_values": {"popup": {"deep": [1, None]}}})
    watcher = await shop.run(data)
    kinds = [f["type"] for f in watcher.frames]
    assert kinds[1:5] == ["NODE_EXECUTION_METRIC", "log", "SHOW_DEBUG_POPUP", "NODE_EXECUTION_METRIC"]
    assert watcher.frames[3]["content"] == {"deep": [1, None]}
    assert watcher.statuses("a") == ["RUNNING", "SUCCESS"]
    huge = workflow(a={"module_id": "talk", "config_values": {"popup": "y" * 2_000_000}})
    watcher = await shop.run(huge, "run-2")
    assert "too large" in watcher.of("SHOW_DEBUG_POPUP")[0]["content"]


async def test_parallel_steps_are_capped_per_run_and_per_engine(tmp_path):
    class Count(Component[Config]):
        id, name, description, category = "count", "Count", "Counts.", "test"
        execution = Execution.ASYNC
        now = most = 0
        full: ClassVar[asyncio.Event] = asyncio.Event()
        bound = 2

        async def execute(self, context, config, payload):
            kind = type(self)
            kind.now += 1
            kind.most = max(kind.most, kind.now)
            if kind.now == kind.bound:
                kind.full.set()
            await asyncio.wait_for(kind.full.wait(), 60)
            await asyncio.sleep(0)
            kind.now -= 1
            return Result({"success": payload})

    registry = Registry([Count()])
    limits = {"max_parallel_steps": 3, "max_parallel_steps_per_run": 2}
    wide = workflow(**{f"n{i}": "count" for i in range(12)})
    async with bench(tmp_path / "engine", registry, **limits) as shop:
        await shop.run(wide)
        assert Count.most == 2
        Count.full.clear()
        Count.bound = 3
        watchers = await asyncio.gather(*(shop.start(wide, f"more-{i}") for i in range(4)))
        assert {await watcher.end() for watcher in watchers} == {"SUCCEEDED"}
        assert Count.most == 3
        assert not shop.runs.busy


async def test_open_runs_are_limited(tmp_path):
    async with bench(tmp_path / "engine", max_open_runs=2) as shop:
        await shop.start(chain(1, "gate"), "one")
        await shop.start(chain(1, "gate"), "two")
        error = await refused(shop.runs.start(StartRun("three", chain(1), OWNER)))
        assert (error.code, error.retry_after) == (ErrorCode.RATE_LIMITED, 1.0)
        shop.registry["gate"].open.set()


async def test_a_long_inline_chain_lets_others_have_their_turn(shop: Bench):
    order: list[str] = []

    class Slow(Component[Config]):
        id, name, description, category = "slow", "Slow", "Takes some time.", "test"

        def execute(self, context, config, payload):
            if "short" not in order:
                time.sleep(0.001)  # as long as it is waited for, the chain takes seconds
            return Result({"success": payload})

    shop.registry.components["slow"] = Slow()
    long = await shop.start(chain(3000, "slow"), "long")
    long_end = asyncio.create_task(long.end())
    long_end.add_done_callback(lambda _: order.append("long"))
    short = await shop.start(chain(2), "short")
    await short.end()
    order.append("short")
    await long_end
    await asyncio.sleep(0)  # the callback of a task that ended in this very turn is still to come
    assert order == ["short", "long"]
    assert long.seqs == list(range(1, len(long.frames) + 1))


async def test_listing_filters_and_pages(shop: Bench):
    for number in range(5):
        await shop.run(chain(1, "fail" if number % 2 else "add"), f"run-{number}", preset_name=f"p{number}")
    await shop.run(chain(1), "other", started_by="0x" + "b" * 40)

    async def ids(**which):
        every = {"started_by": None, "status": None, "before": None, "limit": 50}
        return [run.job_id for run in await shop.runs.listing(**every | which)]

    assert await ids() == ["other", "run-4", "run-3", "run-2", "run-1", "run-0"]
    assert await ids(started_by=OWNER, limit=2) == ["run-4", "run-3"]
    assert await ids(status=RunStatus.FAILED) == ["run-3", "run-1"]
    assert await ids(before=shop.runs.summary("run-0").started_at) == []
    assert shop.runs.summary("run-3").preset_name == "p3"


async def test_details_tell_times_attempts_and_guarantees(shop: Bench):
    await shop.run(workflow("a>b", "b>c", a="add", b="effect", c="fail"))
    details = await shop.runs.details("run-1")
    by_id = {node.node_id: node for node in details.nodes}
    assert [by_id[name].guarantee for name in "abc"] == ["repeatable", "once", "repeatable"]
    assert by_id["c"].error == "it broke"
    for node in details.nodes:
        assert node.attempts == 1
        assert node.started_at <= node.finished_at
        assert node.execution_time_ms >= 0
    assert details.run.status is RunStatus.FAILED
    assert details.last_seq == 11


async def test_subscribers_joining_at_any_time_get_every_event_once(shop: Bench):
    names = [f"n{i}" for i in range(40)]
    edges = [f"{one}>{other}" for one, other in itertools.pairwise(names)]
    kinds = {name: "effect" if i % 2 else "talk" for i, name in enumerate(names)}
    first = await shop.start(workflow(*edges, **kinds | {"n20": "gate"}))
    late: list[tuple[int, Watcher]] = []
    while not any(map(is_final, first.frames)):
        after = len(first.frames) // 2
        watcher = Watcher()
        await shop.runs.subscribe("run-1", watcher, after)
        late.append((after, watcher))
        if len(late) == 3:  # a fast engine, or a slow subscriber, does not get past these
            shop.registry["gate"].open.set()
    late.append((0, Watcher()))
    await shop.runs.subscribe("run-1", late[-1][1], 0)
    for after, watcher in late:
        await watcher.end()
        assert watcher.frames == first.frames[after:]


async def test_unsubscribed_sinks_get_nothing_more(shop: Bench):
    data = workflow("a>b", a="gate", b="add")
    watcher = await shop.start(data)
    leaves, lost = Watcher(), Watcher()
    leave = await shop.runs.subscribe("run-1", leaves, 0)
    await shop.runs.subscribe("run-1", lost, 0)
    seen = len(lost.frames)
    leave()
    leave()
    shop.runs.unsubscribe(lost)
    shop.registry["gate"].open.set()
    await watcher.end()
    assert len(leaves.frames) == len(lost.frames) == seen


async def test_a_sink_that_fails_harms_nobody(shop: Bench):
    def broken(frames):
        raise RuntimeError("the connection is gone")

    data = workflow("a>b", a="gate", b="add")
    watcher = await shop.start(data)
    await shop.runs.subscribe("run-1", broken, 10_000)
    shop.registry["gate"].open.set()
    assert await watcher.end() == "SUCCEEDED"


async def test_one_sink_gets_the_events_of_many_runs_in_few_calls(shop: Bench):
    watcher = Watcher()
    requests = [StartRun(f"run-{i}", chain(10), OWNER) for i in range(50)]
    await asyncio.gather(*(shop.runs.start(request, watcher) for request in requests))
    for request in requests:
        await watcher.until(lambda f, name=request.run_id: is_final(f) and f["job_id"] == name)
    assert len(watcher.frames) == 50 * 32
    assert watcher.calls < 50


async def test_nothing_starts_after_close(tmp_path):
    shop = Bench(tmp_path / "engine", Registry())
    await shop.close()
    error = await refused(shop.runs.start(StartRun("run-1", chain(1), OWNER)))
    assert error.code is ErrorCode.ENGINE_UNAVAILABLE
