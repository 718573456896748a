"""The chain steps against a real EVM node."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from core_engine.components.builtin.evm_send.component import EvmSend
from core_engine.components.network import NetworkPolicy
from core_engine.kernel.payload import Payload
from core_engine.workflow.retry import worth_retrying
from shared.clock import ManualClock
from shared.contract.run import RunMode, RunStatus
from shared.errors import ErrorCode, FloworkError
from tests.support.evm import CHAIN_ID, EvmNode, evm_node

GET, SET = "get() view returns (uint256 value)", "set(uint256 value)"
STORED = "event Stored(address indexed who, uint256 value)"
SINK = "0x000000000000000000000000000000000000dEaD"


@pytest.fixture(scope="module")
def node() -> Iterator[EvmNode]:
    with evm_node() as made:
        yield made


@pytest.fixture(scope="module")
def box(node: EvmNode) -> str:
    return node.deploy_box()


def sending(node: EvmNode, **more: Any) -> dict[str, Any]:
    return {
        "rpc_url": node.url, "chain_id": CHAIN_ID, "private_key": node.accounts[1].key, "to": SINK,
        "spending_limit": "1", **more,
    }  # fmt: skip


async def failure(run, component: str, config: dict[str, Any]) -> FloworkError:
    with pytest.raises(FloworkError) as caught:
        await run(component, config)
    return caught.value


async def test_amounts_arrive_and_are_read(run, node: EvmNode, step) -> None:
    before = node.balance(SINK)
    data = (await run("evm_send", sending(node, amount="0.25"), Payload({}, ["h"]))).outputs["success"].data
    assert node.balance(SINK) - before == 25 * 10**16
    assert (data["status"], data["from"].lower(), data["value"]) == (
        "confirmed",
        node.accounts[1].address,
        str(25 * 10**16),
    )
    receipt = node.receipt(data["hash"])
    assert data["gas_used"] == int(receipt["gasUsed"], 16) == 21_000
    assert int(data["fee"]) == 21_000 * int(receipt["effectiveGasPrice"], 16)
    assert data["hash"] in step.logs[0][1]
    read = (
        (await run("evm_read", {"rpc_url": node.url, "operation": "balance", "address": SINK}))
        .outputs["success"]
        .data
    )
    assert read["wei"] == str(before + 25 * 10**16)


async def test_a_contract_is_called_read_and_watched(run, node: EvmNode, box: str) -> None:
    start = int(node.call("eth_blockNumber"), 16) + 1
    for value in (7, 2**200, 9):
        await run("evm_send", sending(node, to=box, function=SET, arguments=[str(value)]))
    config = {"rpc_url": node.url, "address": box, "function": GET, "chain_id": CHAIN_ID}
    assert (await run("evm_read", config)).outputs["success"].data["value"] == 9
    past = (await run("evm_read", {**config, "block": str(start + 1)})).outputs["success"].data
    assert past["values"] == [{"name": "value", "type": "uint256", "value": str(2**200)}]
    watch = {"rpc_url": node.url, "address": box, "event": STORED, "from_block": start, "confirmations": 1}
    data = (await run("evm_watch", watch)).outputs["success"].data
    assert [event["args"]["value"] for event in data["events"]] == [7, str(2**200)]
    assert {event["args"]["who"].lower() for event in data["events"]} == {node.accounts[1].address}
    assert data["next_block"] == start + 2
    node.mine(1)
    rest = (await run("evm_watch", {**watch, "from_block": data["next_block"]})).outputs["success"].data
    assert [event["args"]["value"] for event in rest["events"]] == [9]
    small = {**watch, "max_events": 2, "chunk_blocks": 100, "confirmations": 0}
    first = (await run("evm_watch", small)).outputs["success"].data
    second = (await run("evm_watch", {**small, "from_block": first["next_block"]})).outputs["success"].data
    assert [event["args"]["value"] for event in first["events"] + second["events"]] == [7, str(2**200), 9]
    nothing = (await run("evm_watch", {**watch, "from_block": 10**9})).outputs["success"].data
    assert (nothing["events"], nothing["next_block"]) == ([], 10**9)


async def test_a_block_is_read(run, node: EvmNode) -> None:
    data = (await run("evm_read", {"rpc_url": node.url, "operation": "block"})).outputs["success"].data
    assert data["number"] == int(node.call("eth_blockNumber"), 16)
    error = await failure(run, "evm_read", {"rpc_url": node.url, "operation": "block", "block": "99999999"})
    assert error.code is ErrorCode.NOT_FOUND


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"amount": "2"}, ErrorCode.BUDGET_EXCEEDED),
        ({"amount": "0.9999999"}, ErrorCode.BUDGET_EXCEEDED),
        ({"max_fee_gwei": 0.000000001}, ErrorCode.BUDGET_EXCEEDED),
        ({"chain_id": 1}, ErrorCode.FORBIDDEN),
        ({"private_key": "0x12"}, ErrorCode.INVALID_REQUEST),
        ({"to": "0x12"}, ErrorCode.INVALID_REQUEST),
        ({"to": "0x000000000000000000000000000000000000Dead"}, ErrorCode.INVALID_REQUEST),
        ({"function": SET, "arguments": []}, ErrorCode.INVALID_REQUEST),
        ({"function": "nothing", "arguments": []}, ErrorCode.INVALID_REQUEST),
        ({"rpc_url": "ftp://x"}, ErrorCode.INVALID_REQUEST),
        ({"rpc_url": "http://127.0.0.1:1"}, ErrorCode.COMPONENT_FAILED),
    ],
)
async def test_what_must_not_be_is_refused_before_anything_is_sent(
    run, node: EvmNode, more, code: ErrorCode
) -> None:
    before = node.call("eth_getTransactionCount", node.accounts[1].address, "pending")
    error = await failure(run, "evm_send", sending(node, **more))
    assert error.code is code, error.message
    assert node.accounts[1].key not in error.message
    assert node.call("eth_getTransactionCount", node.accounts[1].address, "pending") == before


async def test_simulating_keeps_to_the_limits_too(run, node: EvmNode, step) -> None:
    step.mode = RunMode.SIMULATE
    error = await failure(run, "evm_send", sending(node, amount="2"))
    assert error.code is ErrorCode.BUDGET_EXCEEDED


async def test_a_call_the_contract_refuses_is_not_sent_unless_its_gas_is_given(
    run, node: EvmNode, box: str
) -> None:
    config = sending(node, to=box, function="unknown()")
    assert (await failure(run, "evm_send", config)).code is ErrorCode.COMPONENT_FAILED
    undone = await failure(run, "evm_send", {**config, "gas_limit": 100_000})
    assert undone.code is ErrorCode.FORBIDDEN
    assert not worth_retrying(undone)


async def test_two_at_once_with_one_key_take_two_nonces(node: EvmNode, step, state) -> None:
    component = EvmSend(NetworkPolicy(["127.0.0.0/8"]), state)
    config = component.parse_config(sending(node, amount="0.01"))
    results = await asyncio.gather(*(component.execute(step, config, Payload()) for _ in range(3)))
    nonces = sorted(result.outputs["success"].data["nonce"] for result in results)
    assert nonces == list(range(nonces[0], nonces[0] + 3))


async def test_simulating_asks_and_sends_nothing(run, node: EvmNode, box: str) -> None:
    before = node.call("eth_blockNumber")
    config = sending(node, to=box, function=SET, arguments=[5])
    data = (await run("evm_send", config, mode=RunMode.SIMULATE)).outputs["success"].data
    assert (data["status"], data["hash"]) == ("simulated", None)
    assert int(data["highest_cost"]) > 0
    assert node.call("eth_blockNumber") == before


@pytest.mark.parametrize(
    ("name", "key"), [("evm_read", "number"), ("evm_watch", "next_block"), ("evm_send", "hash")]
)
async def test_the_examples_run_in_the_engine(engine, registry, node: EvmNode, name: str, key: str) -> None:
    example = registry.example(name)
    given = example["initial_payload"]["data"] | {"rpc_url": node.url, "key": node.accounts[2].key}
    details, frames = await engine.run(example, given)
    assert details.run.status is RunStatus.SUCCEEDED
    (popup,) = [frame for frame in frames if frame["type"] == "SHOW_DEBUG_POPUP"]
    assert (popup["title"], key in example["nodes"][1]["config_values"]["content"]) == ("Result", True)


async def test_a_node_in_a_private_network_needs_the_owners_leave(step, node: EvmNode, state) -> None:
    component = EvmSend(NetworkPolicy(), state)
    with pytest.raises(FloworkError) as caught:
        await component.execute(step, component.parse_config(sending(node)), Payload())
    assert caught.value.code is ErrorCode.FORBIDDEN


def test_no_chain_step_brings_the_signing_library_into_the_engine() -> None:
    program = (
        "import sys\n"
        "import core_engine.components.builtin.evm_send.component, core_engine.components.chain.abi\n"
        "print('eth_account' in sys.modules or 'web3' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


async def test_a_key_keeps_to_its_daily_limit_over_steps_and_a_day(
    run, node: EvmNode, clock: ManualClock
) -> None:
    config = sending(node, amount="0.3", daily_limit="0.65", private_key=node.accounts[2].key)
    for _ in range(2):
        await run("evm_send", config)
    before = node.balance(SINK)
    error = await failure(run, "evm_send", config)
    assert error.code is ErrorCode.BUDGET_EXCEEDED
    assert "daily limit 0.65" in error.message
    with pytest.raises(FloworkError, match="daily limit"):
        await run("evm_send", config, mode=RunMode.SIMULATE)
    other = {**config, "amount": "0.001"}
    await run("evm_send", other, mode=RunMode.EXECUTE)
    await run("evm_send", {**config, "private_key": node.accounts[3].key})  # another key has its own
    await run("evm_send", {**config, "daily_limit": ""})  # counted, though this step has no limit
    assert (await failure(run, "evm_send", other)).code is ErrorCode.BUDGET_EXCEEDED
    assert node.balance(SINK) - before == 601 * 10**15
    clock.advance(26 * 3600)
    await run("evm_send", config)
