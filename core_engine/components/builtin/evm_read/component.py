"""Reads from an EVM chain."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field
from typing_extensions import override

from core_engine.components.chain.amounts import coins
from core_engine.components.chain.rpc import (
    ChainConfig,
    Node,
    load_codec,
    open_node,
    quantity,
    raw_bytes,
    shown_int,
)
from core_engine.components.fields import JsonList, form
from core_engine.components.network import NetworkPolicy
from core_engine.kernel.component import Component, Execution
from core_engine.kernel.context import Context
from core_engine.kernel.payload import Payload, Result
from shared.errors import ErrorCode, FloworkError


class EvmReadConfig(ChainConfig):
    """What to read."""

    operation: Literal["call", "balance", "block"] = Field(
        "call",
        description=(
            "call: ask a contract's function. balance: how much of the chain's own coin an address has. block: number,"
            " time and hash of a block."
        ),
    )
    address: str = Field(
        "", max_length=100, description="The contract, or whose balance.",
        json_schema_extra=form(placeholder="0x…"),
    )  # fmt: skip
    function: str = Field(
        "", max_length=200_000,
        description="The function as a signature, or the contract's ABI as JSON.",
        json_schema_extra=form(placeholder="balanceOf(address owner) view returns (uint256)"),
    )  # fmt: skip
    function_name: str = Field(
        "", max_length=200, description="Which function of an ABI; not for a signature."
    )
    arguments: JsonList[Any] = Field(
        default_factory=list, max_length=100, description='The function\'s arguments as a list: ["0x…", 5].'
    )
    block: str = Field(
        "latest", pattern=r"^(latest|safe|finalized|pending|\d{1,15})$",
        description="As of which block: latest, safe, finalized, pending or a number.",
    )  # fmt: skip


class EvmRead(Component[EvmReadConfig]):
    """Reads."""

    id = "evm_read"
    name = "EVM read"
    description = "Asks a contract on an EVM chain, reads a balance or a block."
    category = "Chain"
    execution = Execution.ASYNC
    config_model = EvmReadConfig

    def __init__(self, network: NetworkPolicy) -> None:
        self._network = network

    @override
    async def execute(self, context: Context, config: EvmReadConfig, payload: Payload) -> Result:
        """Return ``value`` and ``values`` of a call, ``wei`` and ``amount`` of a balance, or the block.

        Numbers that JSON readers would round are texts.
        """
        await load_codec()
        from core_engine.components.chain import abi  # noqa: PLC0415 - heavy, only where used

        block = config.block if not config.block.isdigit() else hex(int(config.block))
        data: dict[str, Any]
        async with open_node(config, self._network) as node:
            if config.operation == "block":
                data = await _block(node, block)
            elif config.operation == "balance":
                wei = await node.number("eth_getBalance", abi.address(config.address), block)
                data = {"wei": str(wei), "amount": coins(wei)}
            else:
                entry = abi.read_entry(config.function, "function", config.function_name)
                call = {
                    "to": abi.address(config.address),
                    "data": "0x" + entry.encode_call(config.arguments).hex(),
                }
                values = entry.decode_outputs(raw_bytes(await node.call("eth_call", call, block)))
                data = {"value": values[0]["value"] if values else None, "values": values}
        return Result.on("success", {"operation": config.operation, **data}, payload.history)


async def _block(node: Node, block: str) -> dict[str, Any]:
    found = await node.call("eth_getBlockByNumber", block, False)
    if not isinstance(found, dict):
        raise FloworkError(ErrorCode.NOT_FOUND, "There is no such block.")
    return {
        "number": quantity(found.get("number")),
        "hash": str(found.get("hash"))[:66],
        "timestamp": quantity(found.get("timestamp")),
        "transactions": len(found.get("transactions") or ()),
        "base_fee": shown_int(quantity(found.get("baseFeePerGas") or "0x0")),
    }
