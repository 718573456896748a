"""Steps that wait: nothing runs meanwhile, and an answer or the time sets them going, also after a crash."""

from __future__ import annotations

import asyncio
import shutil
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from core_engine.components.builtin.manual_approval.component import ManualApproval
from core_engine.components.builtin.wait_until.component import WaitUntil
from core_engine.kernel.component import Component, Config, Execution, StepPolicy
from core_engine.kernel.payload import Payload, Result
from core_engine.kernel.suspension import APPROVAL, Answer, Ending, SignedAnswer, Suspend
from core_engine.workflow import Variable, waits
from core_engine.workflow import records as r
from core_engine.workflow.parse import parse_workflow
from core_engine.workflow.planner import Planner
from shared.clock import ManualClock
from shared.contract.run import RunMode
from shared.errors import ErrorCode, FloworkError
from tests.core_engine.workflow.test_kill import ROOT
from tests.core_engine.workflow.test_recovery import crash, load, put, results
from tests.core_engine.workflow.waiter import registry as waiter_registry
from tests.core_engine.workflow.workshop import OWNER, Bench, Registry, Watcher, bench, workflow

BOB = "0x" + "b" * 40
ASK = workflow("a>b", "b:approved>c", "b:rejected>d", a="add", b="manual_approval", c="effect", d="add")


class AsyncAsk(Component[Config]):
    """Asks, then has an effect, which fails as often as it is told to."""

    id = "async_ask"
    name = "Ask"
    description = "Asks."
    category = "test"
    execution = Execution.ASYNC
    policy = StepPolicy.ONCE

    def __init__(self) -> None:
        self.asked = 0
        self.gate = asyncio.Event()
        self.arrived = asyncio.Event()
        self.resumed: list[tuple[str, int, Ending]] = []
        self.failures = 0

    async def execute(self, context, config, payload):
        self.asked += 1
        return Suspend(signal=APPROVAL)

    async def resume(self, context, config, payload, answer):
        self.resumed.append((context.idempotency_key, context.attempt, answer.ending))
        self.arrived.set()
        if len(self.resumed) <= self.failures:
            raise ValueError("not yet")
        await self.gate.wait()
        return Result({"success": payload})

    async def simulate(self, context, config, payload):
        return Result({"success": payload})


class KeyedAsk(AsyncAsk):
    """The same with an effect that may be repeated."""

    id = "keyed_ask"
    policy = StepPolicy.KEYED


class ThreadAsk(Component[Config]):
    """Asks twice from a thread; the second answer ends it."""

    id = "thread_ask"
    name = "Ask twice"
    description = "Asks twice."
    category = "test"
    execution = Execution.THREAD

    def execute(self, context, config, payload):
        return Suspend(signal=APPROVAL, prompt={"title": "first"})

    def resume(self, context, config, payload, answer):
        if answer.comment == "again":
            return Suspend(signal=APPROVAL, prompt={"title": "second"})
        return Result.on("success", answer.comment)


class Forgetful(Component[Config]):
    """Waits and does not know how to go on."""

    id = "forgetful"
    name = "Forgetful"
    description = "Waits."
    category = "test"

    def execute(self, context, config, payload):
        return Suspend(after_ms=0)


def registry() -> Registry:
    parts = (ManualApproval(), WaitUntil(), AsyncAsk(), KeyedAsk(), ThreadAsk(), Forgetful())
    return Registry(parts)


@pytest.fixture
async def shop(tmp_path: Path):
    async with bench(tmp_path / "engine", registry()) as made:
        yield made


def signed(
    ending: Ending = Ending.APPROVED, comment: str = "", approval_id: str | None = None
) -> SignedAnswer:
    answer = Answer(ending, BOB, comment)
    return SignedAnswer(answer, "text", "0x00", BOB, True, '{"type":"approve_manual"}', approval_id)


async def asked(watcher: Watcher, count: int = 1) -> dict[str, Any]:
    """Wait for a request for approval, and return the event."""
    kind = "MANUAL_APPROVAL_REQUESTED"
    await watcher.until(lambda _: len(watcher.of(kind)) >= count)
    return watcher.of(kind)[count - 1]


async def refused(awaitable: Any) -> FloworkError:
    with pytest.raises(FloworkError) as caught:
        await awaitable
    return caught.value


def node(details: Any, node_id: str) -> Any:
    return next(item for item in details.nodes if item.node_id == node_id)


async def test_a_run_waits_for_a_person_and_goes_the_way_they_say(shop: Bench):
    watcher = await shop.start(ASK, initial_payload=Payload({"n": 1}))
    frame = await asked(watcher)
    assert (frame["module_id"], frame["node_id"], frame["title"]) == (
        "manual_approval",
        "b",
        "Approval needed",
    )
    assert frame["message"] == "Shall the workflow go on?"
    assert "expires_at" not in frame
    assert not shop.runs.busy
    assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("step")]
    waiting = await shop.runs.details("run-1")
    assert waiting.run.status == "RUNNING"
    assert (node(waiting, "b").status, node(waiting, "b").finished_at) == ("WAITING", None)
    assert node(waiting, "b").waiting.id == frame["approval_id"]
    await shop.runs.answer("run-1", "b", signed(comment="go"))
    assert await watcher.end() == "SUCCEEDED"
    assert watcher.seqs == list(range(1, len(watcher.seqs) + 1))
    assert watcher.of("log")[0]["message"] == f"Approved by {BOB}: go"
    assert watcher.statuses("b") == ["RUNNING", "RUNNING", "SUCCESS"]
    assert await shop.nodes() == {"a": "SUCCESS", "b": "SUCCESS", "c": "SUCCESS", "d": "SKIPPED"}
    assert await shop.output("b:approved>c") == {
        "n": 2, "label": "", "approval": {"approved": True, "by": BOB, "comment": "go"},
    }  # fmt: skip
    told = node(await shop.runs.details("run-1"), "b")
    assert (told.answered_by.address, told.answered_by.approved, told.answered_by.comment) == (
        BOB,
        True,
        "go",
    )
    assert (told.answered_by.message, told.answered_by.bound, told.attempts) == ("text", True, 1)
    assert told.waiting is None
    late = Watcher()
    await shop.runs.subscribe("run-1", late, 0)
    assert late.frames == watcher.frames


async def test_a_rejection_takes_the_other_branch(shop: Bench):
    watcher = await shop.start(ASK)
    await asked(watcher)
    await shop.runs.answer("run-1", "b", signed(Ending.REJECTED))
    assert await watcher.end() == "SUCCEEDED"
    assert shop.registry["effect"].done == []
    assert (await shop.nodes())["d"] == "SUCCESS"


async def test_who_comes_late_sees_the_request(shop: Bench):
    frame = await asked(await shop.start(ASK))
    late = Watcher()
    await shop.runs.subscribe("run-1", late, 0)
    assert late.of("MANUAL_APPROVAL_REQUESTED") == [frame]


async def test_only_a_step_that_waits_can_be_answered_and_only_once(shop: Bench):
    assert (await refused(shop.runs.answer("none", "b", signed()))).code is ErrorCode.NOT_FOUND
    watcher = await shop.start(ASK)
    frame = await asked(watcher)
    assert (await refused(shop.runs.answer("run-1", "x", signed()))).code is ErrorCode.NOT_FOUND
    assert (await refused(shop.runs.answer("run-1", "a", signed()))).code is ErrorCode.CONFLICT
    other = await refused(shop.runs.answer("run-1", "b", signed(approval_id="other")))
    assert other.code is ErrorCode.CONFLICT
    assert frame["approval_id"] in other.message
    await shop.runs.pause("run-1", OWNER)
    await shop.runs.answer("run-1", "b", signed(approval_id=frame["approval_id"]))
    again = await refused(shop.runs.answer("run-1", "b", signed(Ending.REJECTED)))
    assert again.code is ErrorCode.CONFLICT
    assert f"approved by {BOB}" in again.message
    await shop.runs.resume("run-1", OWNER)
    assert await watcher.end() == "SUCCEEDED"
    assert (await refused(shop.runs.answer("run-1", "b", signed()))).code is ErrorCode.CONFLICT


async def test_of_two_answers_at_once_one_counts(shop: Bench):
    watcher = await shop.start(ASK)
    await asked(watcher)
    answers = await asyncio.gather(
        shop.runs.answer("run-1", "b", signed()),
        shop.runs.answer("run-1", "b", signed(Ending.REJECTED)),
        return_exceptions=True,
    )
    assert [isinstance(item, FloworkError) for item in answers] == [False, True]
    await watcher.end()
    assert shop.registry["effect"].done == ["run-1/c"]


async def test_an_answer_during_a_pause_waits_for_its_end(shop: Bench):
    watcher = await shop.start(ASK)
    await asked(watcher)
    await shop.runs.pause("run-1", OWNER)
    details = await shop.runs.answer("run-1", "b", signed())
    assert (details.run.status, node(details, "b").status) == ("PAUSED", "WAITING")
    await shop.runs.resume("run-1", OWNER)
    assert await watcher.end() == "SUCCEEDED"


@pytest.mark.parametrize("answered", [False, True])
async def test_a_stop_ends_the_wait(shop: Bench, answered: bool):
    watcher = await shop.start(ASK)
    await asked(watcher)
    if answered:
        await shop.runs.pause("run-1", OWNER)
        await shop.runs.answer("run-1", "b", signed())
    await shop.runs.stop("run-1", OWNER)
    assert await watcher.end() == "STOPPED"
    assert watcher.statuses("b") == ["RUNNING", "ERROR"]
    assert await shop.nodes() == {"a": "SUCCESS", "b": "CANCELLED", "c": "CANCELLED", "d": "CANCELLED"}
    assert (await refused(shop.runs.answer("run-1", "b", signed()))).code is ErrorCode.CONFLICT
    assert shop.registry["effect"].done == []


async def test_a_waiting_step_leaves_its_slot_to_others(tmp_path: Path):
    data = workflow("b>c", a="async_ask", b="async_ask", c="gate")
    async with bench(tmp_path / "engine", registry(), max_parallel_steps=1) as shop:
        watcher = await shop.start(data)
        await asked(watcher, 2)
        shop.registry["async_ask"].gate.set()
        shop.registry["gate"].open.set()
        await shop.runs.answer("run-1", "b", signed())
        await watcher.until(lambda f: f.get("node_id") == "c" and f.get("status") == "SUCCESS")
        await shop.runs.answer("run-1", "a", signed())
        assert await watcher.end() == "SUCCEEDED"


async def test_a_step_may_wait_again(shop: Bench):
    watcher = await shop.start(workflow("a>b", a="thread_ask", b="add"))
    first = await asked(watcher)
    await shop.runs.answer("run-1", "a", signed(comment="again"))
    second = await asked(watcher, 2)
    assert (first["title"], second["title"]) == ("first", "second")
    stale = await refused(shop.runs.answer("run-1", "a", signed(approval_id=first["approval_id"])))
    assert stale.code is ErrorCode.CONFLICT
    await shop.runs.answer("run-1", "a", signed(comment="done"))
    assert await watcher.end() == "SUCCEEDED"
    assert await shop.output("a>b") == "done"


async def test_what_cannot_go_on_fails(shop: Bench):
    watcher = await shop.run(workflow("a>b", a="forgetful", b="add"))
    assert await watcher.end() == "FAILED"
    assert "no resume()" in (shop.runs.summary("run-1").error_message or "")


async def test_a_failed_continuation_is_tried_again_with_the_same_answer(shop: Bench):
    ask = shop.registry["keyed_ask"]
    ask.failures = 2
    ask.gate.set()
    retry = {"attempts": 3, "delay_seconds": 0.001}
    watcher = await shop.start(workflow("a>b", a={"module_id": "keyed_ask", "retry": retry}, b="add"))
    await asked(watcher)
    await shop.runs.answer("run-1", "a", signed())
    assert await watcher.end() == "SUCCEEDED"
    assert ask.asked == 1
    assert [call[1] for call in ask.resumed] == [1, 2, 3]
    assert len({call[0] for call in ask.resumed}) == 1


async def test_a_large_payload_is_not_held_while_it_waits(shop: Bench):
    text = "x" * 200_000
    watcher = await shop.start(ASK, initial_payload=Payload({"text": text}))
    await asked(watcher)
    run = shop.runs._conductor.runs["run-1"]
    assert not [name for name in run.state.payloads.large if name in str(run.state.outputs[0])]
    await shop.runs.answer("run-1", "b", signed())
    await watcher.end()
    assert (await shop.output("b:approved>c"))["text"] == text


async def test_simulating_does_not_wait(shop: Bench):
    data = workflow("a:approved>b", a="manual_approval", b="wait_until")
    watcher = await shop.run(data, mode=RunMode.SIMULATE)
    assert await watcher.end() == "SUCCEEDED"


def asking(**settings: Any) -> dict[str, Any]:
    ask = {"module_id": "manual_approval", "config_values": {"timeout_seconds": 3600, **settings}}
    return workflow("b:approved>c", "b:rejected>d", b=ask, c="add", d="add")


@pytest.mark.parametrize(
    ("at_timeout", "status", "ends"),
    [
        ("approve", "SUCCEEDED", {"b": "SUCCESS", "c": "SUCCESS", "d": "SKIPPED"}),
        ("reject", "SUCCEEDED", {"b": "SUCCESS", "c": "SKIPPED", "d": "SUCCESS"}),
        ("fail", "FAILED", {"b": "ERROR", "c": "SKIPPED", "d": "SKIPPED"}),
    ],
)
async def test_a_time_limit_holds_over_a_restart(
    tmp_path: Path, at_timeout: str, status: str, ends: dict[str, str]
):
    clock = ManualClock()
    async with bench(tmp_path / "engine", registry(), clock=clock) as shop:
        frame = await asked(await shop.start(asking(at_timeout=at_timeout)))
        assert frame["expires_at"] == "2023-11-14T23:13:20.000Z"
    clock.advance(3599)
    async with bench(tmp_path / "engine", registry(), clock=clock) as shop:
        assert await shop.runs.recover() == 1
        assert (await shop.nodes())["b"] == "WAITING"
    clock.advance(2)
    async with bench(tmp_path / "engine", registry(), clock=clock) as shop:
        await shop.runs.recover()
        watcher = Watcher()
        await shop.runs.subscribe("run-1", watcher, 0)
        assert await watcher.end() == status
        assert await shop.nodes() == ends
        assert "No answer came in time." in [log["message"] for log in watcher.of("log")]
        assert node(await shop.runs.details("run-1"), "b").answered_by is None


async def test_a_retry_after_a_time_out_asks_again(tmp_path: Path):
    data = asking(at_timeout="fail", timeout_seconds=0.02)
    data["nodes"][0]["retry"] = {"attempts": 2, "delay_seconds": 0.001}
    async with bench(tmp_path / "engine", registry()) as shop:
        watcher = await shop.run(data)
        assert await watcher.end() == "FAILED"
        first, second = watcher.of("MANUAL_APPROVAL_REQUESTED")
        assert first["approval_id"] != second["approval_id"]


async def test_the_wall_clock_is_looked_at_again_and_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(waits, "LONGEST_NAP", 0.005)
    clock = ManualClock()
    data = workflow("a>b", a={"module_id": "wait_until", "config_values": {"seconds": 86_400}}, b="add")
    async with bench(tmp_path / "engine", registry(), clock=clock) as shop:
        watcher = await shop.start(data)
        log = await watcher.until(lambda f: f["type"] == "log")
        assert log["message"] == "Waits until 2023-11-15T22:13:20.000Z."
        assert (await refused(shop.runs.answer("run-1", "a", signed()))).code is ErrorCode.CONFLICT
        clock.advance(-10_000)
        await asyncio.sleep(0.03)
        clock.advance(90_000)
        await asyncio.sleep(0.03)
        assert (await shop.nodes())["a"] == "WAITING"
        clock.advance(6_400)
        assert await watcher.end() == "SUCCEEDED"
        assert watcher.statuses("a") == ["RUNNING", "RUNNING", "SUCCESS"]


async def test_a_time_that_is_past_does_not_wait(shop: Bench):
    past = {"module_id": "wait_until", "config_values": {"until": "2001-01-01T00:00:00Z"}}
    assert await (await shop.run(workflow("a>b", a=past, b="add"))).end() == "SUCCEEDED"


async def test_cut_at_every_record_it_still_asks_and_reaches_the_same_end(tmp_path: Path):
    async with bench(tmp_path / "first", registry()) as shop:
        watcher = await shop.start(ASK, initial_payload=Payload({"n": 1}))
        await asked(watcher)
        await shop.runs.pause("run-1", OWNER)
        await shop.runs.answer("run-1", "b", signed())
        await shop.runs.resume("run-1", OWNER)
        await watcher.end()
        whole, expected = load(shop), await shop.nodes()
    for cut in range(1, len(whole.records)):
        folder, records = tmp_path / f"cut-{cut}", whole.records[:cut]
        await put(folder, whole, records, registry())
        parts = registry()
        async with bench(folder, parts) as shop:
            assert await shop.runs.recover() == 1
            watcher = Watcher()
            await shop.runs.subscribe("run-1", watcher, 0)
            if shop.runs.summary("run-1").status == "PAUSED":
                await shop.runs.resume("run-1", OWNER)
            if not any(isinstance(record, r.StepResumed) for record in records):
                await asked(watcher)
                await shop.runs.answer("run-1", "b", signed())
            status = await watcher.end()
            again = load(shop)
            lost = isinstance(records[-1], r.StepStarted) and records[-1].policy == "once"
            assert status == ("FAILED" if lost else "SUCCEEDED"), cut
            assert await shop.nodes() == expected | ({"c": "OUTCOME_UNKNOWN"} if lost else {})
            assert again.records[:cut] == records
            assert set(results(again.records).values()) == {1}
            assert sum(isinstance(record, r.StepResumed) for record in again.records) == 1
            assert watcher.seqs == list(range(1, again.row.last_seq + 1))
        shutil.rmtree(folder)


@pytest.mark.parametrize(("module", "status"), [("async_ask", "FAILED"), ("keyed_ask", "SUCCEEDED")])
async def test_a_crash_after_the_answer_follows_the_policy(tmp_path: Path, module: str, status: str):
    parts = registry()
    shop = Bench(tmp_path / "engine", parts)
    watcher = await shop.start(workflow("a>b", a=module, b="add"))
    await asked(watcher)
    await shop.runs.answer("run-1", "a", signed())
    await parts[module].arrived.wait()
    await crash(shop, tmp_path / "copy")
    parts[module].gate.set()
    async with bench(tmp_path / "copy", parts) as again:
        await again.runs.recover()
        watcher = Watcher()
        await again.runs.subscribe("run-1", watcher, 0)
        assert await watcher.end() == status
        assert parts[module].asked == 1
        assert len(parts[module].resumed) == (1 if status == "FAILED" else 2)
        assert (await again.nodes())["a"] == ("OUTCOME_UNKNOWN" if status == "FAILED" else "SUCCESS")


async def test_killed_while_it_waits_it_still_waits_and_nothing_runs_twice(tmp_path: Path):
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.core_engine.workflow.waiter", str(tmp_path),
        stdout=asyncio.subprocess.PIPE, cwd=ROOT,
    )  # fmt: skip
    assert process.stdout
    approval = (await process.stdout.readline()).decode().strip()
    process.send_signal(signal.SIGKILL)
    await process.wait()
    for _ in range(2):
        async with bench(tmp_path / "engine", waiter_registry(tmp_path)) as shop:
            assert await shop.runs.recover() == 1
            assert node(await shop.runs.details("run-1"), "b").waiting.id == approval
            assert (tmp_path / "marks").read_text() == "run-1 a 0 0\n"
    async with bench(tmp_path / "engine", waiter_registry(tmp_path)) as shop:
        await shop.runs.recover()
        watcher = Watcher()
        await shop.runs.subscribe("run-1", watcher, 0)
        await shop.runs.answer("run-1", "b", signed(approval_id=approval))
        assert await watcher.end() == "SUCCEEDED"
        assert (tmp_path / "marks").read_text() == "run-1 a 0 0\nrun-1 c 0 0\n"
        assert watcher.seqs == list(range(1, len(watcher.seqs) + 1))


async def test_what_is_asked_shows_no_secret(shop: Bench):
    class Vars:
        def get(self, name, owner):
            return Variable("s3cret-value", secret=True) if name == "KEY" else None

    object.__setattr__(shop.runs._env, "variables", Vars())
    ask = {
        "module_id": "manual_approval",
        "config_values": {"title": "use {{vars.KEY}}?", "message": "{{vars.KEY}}"},
    }
    frame = await asked(await shop.start(workflow("a>b", a=ask, b="add")))
    assert (frame["title"], frame["message"]) == ("use •••?", "•••")
    assert b"s3cret" not in shop.store.archive.journal("run-1").segments[-1][1]


def test_a_step_that_waits_again_and_again_outlives_any_number_of_crashes():
    graph = parse_workflow(workflow(a="gate"), Registry())
    planner = Planner(graph, start=None, ahead=[False])
    for _ in range(5):
        planner.apply(r.StepStarted(0, 0, 0, 1, 1, "repeatable"))
        planner.apply(r.StepInterrupted(0, 0, 0, crash=True))
        assert planner.crashes == {0: 1}
        planner.apply(r.StepStarted(0, 0, 0, 1, 1, "repeatable"))
        planner.apply(r.StepSuspended(0, 0, 0, 1, "w", None, "runs", None))
        planner.apply(r.StepResumed(0, 0, 0, 1, "ended", None, "", None))
    assert planner.crashes == {}
