"""Counter, remembered values, seen-before and rate limit: durable, once per step, and untouched by simulation."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from core_engine.kernel.component import StepPolicy
from core_engine.kernel.payload import Payload
from core_engine.kernel.suspension import Answer, Ending, Suspend
from shared.contract.run import RunMode
from shared.errors import FloworkError


async def data_of(run, component: str, config, data=None, **changes):
    result = await run(component, config, data, **changes)
    (payload,) = result.outputs.values()
    return payload.data


async def test_a_counter_counts_steps_not_attempts(run) -> None:
    data = {"a": 1}
    assert await data_of(run, "counter", {"name": "n"}, data, idempotency_key="1") == {"a": 1, "count": 1}
    assert await data_of(run, "counter", {"name": "n"}, data, idempotency_key="1", attempt=2) == {
        "a": 1,
        "count": 1,
    }
    config = {"name": "n", "amount": -2.5, "save_as": "left"}
    assert (await data_of(run, "counter", config, idempotency_key="2"))["left"] == -1.5
    assert (await data_of(run, "counter", {"name": "n", "action": "get"}))["count"] == -1.5
    assert (await data_of(run, "counter", {"name": "n", "action": "set", "amount": 7}, idempotency_key="3"))[
        "count"
    ] == 7
    assert (await data_of(run, "counter", {"name": "n", "action": "reset"}, idempotency_key="4"))[
        "count"
    ] == 0
    assert (await data_of(run, "counter", {"name": "n"}, idempotency_key="5"))["count"] == 1
    assert (await data_of(run, "counter", {"name": "other", "action": "get"}))["count"] == 0


async def test_counters_of_workflows_are_their_own_unless_shared(run) -> None:
    for reach, expected in (("workflow", 1), ("engine", 2)):
        for number, workflow in enumerate(("preset A", "preset B")):
            config = {"name": "n", "reach": reach}
            found = await data_of(
                run, "counter", config, workflow=workflow, idempotency_key=f"{reach} {number}"
            )
        assert found["count"] == expected


async def test_a_counter_refuses_what_is_too_large(run) -> None:
    await run("counter", {"action": "set", "amount": 2**53 - 1}, idempotency_key="1")
    with pytest.raises(FloworkError, match="too large"):
        await run("counter", {}, idempotency_key="2")


async def test_simulating_a_counter_leaves_it(run) -> None:
    await run("counter", {"name": "n"})
    config = {"name": "n", "amount": 4}
    assert (await data_of(run, "counter", config, idempotency_key="2", mode=RunMode.SIMULATE))["count"] == 5
    assert (await data_of(run, "counter", {"name": "n", "action": "get"}, mode=RunMode.SIMULATE))[
        "count"
    ] == 1


async def test_a_value_is_kept_until_it_is_deleted(run) -> None:
    get = {"name": "größe", "default": "none yet"}
    assert await data_of(run, "state", get) == {"value": "none yet", "found": False}
    value = {"é": [1, None, {"x": True}]}
    put = {"name": "größe", "action": "set", "value": value}
    assert await data_of(run, "state", put, idempotency_key="1") == {"value": value, "found": False}
    assert await data_of(run, "state", get) == {"value": value, "found": True}
    gone = await data_of(run, "state", {"name": "größe", "action": "delete"}, idempotency_key="2")
    assert gone == {"value": None, "found": True}
    assert await data_of(run, "state", put, idempotency_key="1") == {"value": value, "found": False}
    assert (await data_of(run, "state", get))["found"] is False  # a late repeat of set brought nothing back


async def test_none_is_a_value(run) -> None:
    await run("state", {"name": "n", "action": "set", "value": None})
    assert await data_of(run, "state", {"name": "n", "default": 1}) == {"value": None, "found": True}


@pytest.mark.parametrize("action", ["set", "delete"])
async def test_simulating_leaves_a_value(run, step, action: str) -> None:
    await run("state", {"name": "n", "action": "set", "value": 1})
    config = {"name": "n", "action": action, "value": 2}
    assert (await data_of(run, "state", config, idempotency_key="2", mode=RunMode.SIMULATE))["found"] is True
    assert step.logs[-1][1].startswith("Simulated")
    assert (await data_of(run, "state", {"name": "n"}))["value"] == 1


def test_only_reading_can_be_repeated_freely(registry) -> None:
    for name in ("counter", "state"):
        component = registry.find(name)
        for action, policy in (("get", StepPolicy.REPEATABLE), ("set", StepPolicy.KEYED)):
            assert component.policy_for(component.parse_config({"name": "n", "action": action})) is policy


async def test_items_pass_once_over_runs(run) -> None:
    items = [{"id": 1, "n": "a"}, {"id": 2, "n": "b"}, {"id": 1, "n": "c"}]
    result = await run(
        "dedupe", {"key": "id"}, Payload({"records": items, "x": 0}, ["h"]), idempotency_key="1"
    )
    assert result.outputs["unseen"] == Payload({"records": items[:2], "x": 0, "count": 2}, ["h"])
    assert result.outputs["seen"].data["records"] == items[2:]
    again = await run("dedupe", {"key": "id"}, items, idempotency_key="1")
    assert again.outputs["unseen"].data["records"] == items[:2]
    later = await run("dedupe", {"key": "id"}, [{"id": 2}, {"id": "2"}], idempotency_key="2")
    assert later.outputs["unseen"].data["records"] == [{"id": "2"}]
    assert list((await run("dedupe", {"key": "id"}, [], idempotency_key="3")).outputs) == ["unseen"]


async def test_items_are_forgotten_after_their_days(run, clock) -> None:
    config = {"key": "id", "days": 2}
    for hours, port in ((0, "unseen"), (47, "seen"), (2, "unseen")):
        clock.advance(hours * 3600)
        assert list((await run("dedupe", config, {"id": 1}, idempotency_key=f"{hours}")).outputs) == [port]


async def test_steps_share_what_they_saw_only_by_name(run) -> None:
    ports = []
    for number, (node, name) in enumerate((("a", ""), ("b", ""), ("a", "x"), ("b", "x"))):
        result = await run("dedupe", {"name": name}, {"id": 1}, node_id=node, idempotency_key=str(number))
        ports += result.outputs
    assert ports == ["unseen", "unseen", "unseen", "seen"]


async def test_an_item_without_its_key_is_not_dropped_silently(run) -> None:
    with pytest.raises(FloworkError, match=r"customer\.id"):
        await run("dedupe", {"key": "customer.id"}, [{"customer": {}}])


async def test_simulating_remembers_nothing(run) -> None:
    for _ in range(2):
        result = await run("dedupe", {}, [1, 1], mode=RunMode.SIMULATE)
        assert result.outputs["unseen"].data["records"] == [1]


def turn(registry, step, key: str, **config):
    component = registry.find("rate_limit")
    step.idempotency_key = key
    return component.execute(step, component.parse_config(config), Payload({"n": 1}, ["h"]))


def test_turns_are_given_in_order(registry, step, clock) -> None:
    start = clock.now_ms()
    passed = {"passed": Payload({"n": 1}, ["h"])}
    limit = {"most": 2, "window_seconds": 10}
    assert turn(registry, step, "1", **limit).outputs == passed
    clock.advance(1)
    assert turn(registry, step, "2", **limit).outputs == passed
    assert turn(registry, step, "3", **limit) == Suspend(until_ms=start + 10_000)
    assert turn(registry, step, "4", **limit) == Suspend(until_ms=start + 11_000)
    assert turn(registry, step, "5", **limit) == Suspend(until_ms=start + 20_000)
    assert turn(registry, step, "3", **limit) == Suspend(
        until_ms=start + 10_000
    )  # tried again: the same turn
    clock.advance(9)
    assert turn(registry, step, "3", **limit).outputs == passed
    component = registry.find("rate_limit")
    given = Payload({"n": 1})
    resumed = component.resume(step, component.parse_config(limit), given, Answer(Ending.DUE))
    assert resumed.outputs == {"passed": given}
    clock.advance(60)
    assert turn(registry, step, "6", **limit).outputs == passed


def test_who_may_not_wait_is_limited_and_takes_no_turn(registry, step, clock) -> None:
    limit = {"most": 1, "window_seconds": 10}
    turn(registry, step, "1", **limit)
    for key, more in (("2", {"when_full": "limited"}), ("3", {"longest_wait_seconds": 9})):
        assert list(turn(registry, step, key, **limit, **more).outputs) == ["limited"]
    assert turn(registry, step, "4", **limit) == Suspend(until_ms=clock.now_ms() + 10_000)


def test_the_largest_limit_can_be_kept(registry, step) -> None:
    for number in range(4100):
        if number < 3999:
            continue
        turn(registry, step, str(number), most=4000, window_seconds=3600)
    assert list(turn(registry, step, "x", most=1, when_full="limited").outputs) == ["limited"]


async def test_simulating_takes_no_turn(run, registry, step) -> None:
    for _ in range(3):
        assert list((await run("rate_limit", {"most": 1}, mode=RunMode.SIMULATE)).outputs) == ["passed"]
    assert list(turn(registry, step, "1", most=1).outputs) == ["passed"]


@pytest.mark.parametrize(
    ("component", "wrong", "field"),
    [
        ("counter", {"name": ""}, "name"),
        ("counter", {"action": "double"}, "action"),
        ("counter", {"amount": "lots"}, "amount"),
        ("state", {}, "name"),
        ("state", {"name": "n", "reach": "all"}, "reach"),
        ("dedupe", {"days": 0}, "days"),
        ("dedupe", {"most": 0}, "most"),
        ("rate_limit", {"most": 0}, "most"),
        ("rate_limit", {"window_seconds": 0}, "window_seconds"),
        ("rate_limit", {"when_full": "panic"}, "when_full"),
    ],
)
def test_wrong_settings_name_their_field(registry, component: str, wrong, field: str) -> None:
    with pytest.raises(ValidationError) as caught:
        registry.find(component).parse_config(wrong)
    assert [error["loc"][0] for error in caught.value.errors()] == [field]


async def test_a_rate_limit_waits_in_a_real_run_and_a_stop_is_not_retried(engine) -> None:
    limit = {
        "id": "a",
        "name": "Limit",
        "module_id": "rate_limit",
        "config_values": {"most": 1, "window_seconds": 0.2},
    }
    stop = {
        "id": "b",
        "name": "Stop",
        "module_id": "stop_with_error",
        "config_values": {"message": "Enough of {{ data.n }}."},
        "retry": {"attempts": 5, "delay_seconds": 0.01},
    }
    edge = {
        "id": "e",
        "source": "a",
        "target": "b",
        "source_port_name": "passed",
        "target_port_name": "input",
    }
    workflow = {"name": "w", "nodes": [limit, stop], "connections": [edge]}
    for _ in range(2):
        details, _frames = await engine.run(workflow, {"n": 3})
        assert details.run.status.value == "FAILED"
        assert "Enough of 3." in (details.run.error_message or "")
        assert [node.attempts for node in details.nodes if node.node_id == "b"] == [1]
