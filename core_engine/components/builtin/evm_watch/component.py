"""Reads a contract's events from one block to another."""

from __future__ import annotations

from typing import Any

from pydantic import Field
from typing_extensions import override

from core_engine.components.chain.rpc import (
    ChainConfig,
    Node,
    RpcError,
    load_codec,
    open_node,
    quantity,
    raw_bytes,
)
from core_engine.components.fields import form
from core_engine.components.network import NetworkPolicy
from core_engine.kernel.component import Component, Execution
from core_engine.kernel.context import Context
from core_engine.kernel.payload import Payload, Result
from shared.errors import ErrorCode, FloworkError


class EvmWatchConfig(ChainConfig):
    """Which events."""

    address: str = Field(
        min_length=1, max_length=100, description="The contract.", json_schema_extra=form(placeholder="0x…")
    )
    event: str = Field(
        min_length=1, max_length=200_000, description="The event as a signature, or the contract's ABI as JSON.",
        json_schema_extra=form(placeholder="Transfer(address indexed from, address indexed to, uint256 value)"),
    )  # fmt: skip
    event_name: str = Field("", max_length=200, description="Which event of an ABI; not for a signature.")
    from_block: int = Field(
        0, ge=0, le=10**15, description="The first block to read; take next_block of the last time."
    )
    to_block: int | None = Field(
        None, ge=0, le=10**15, description="The last block to read; empty for the newest that is confirmed."
    )
    confirmations: int = Field(
        12, ge=0, le=100_000, description="How many blocks must follow a block before it is read."
    )
    chunk_blocks: int = Field(
        1000,
        ge=1,
        le=100_000,
        description="How many blocks are asked for at once; fewer when the node refuses.",
    )
    max_blocks: int = Field(100_000, ge=1, le=10_000_000, description="Most blocks to read in one step.")
    max_events: int = Field(1000, ge=1, le=50_000, description="After this many events the step ends early.")


class EvmWatch(Component[EvmWatchConfig]):
    """Reads events."""

    id = "evm_watch"
    name = "EVM events"
    description = (
        "Reads the events of a contract since a block, once they are confirmed, and says where to go on."
    )
    category = "Chain"
    execution = Execution.ASYNC
    config_model = EvmWatchConfig

    def __init__(self, network: NetworkPolicy) -> None:
        self._network = network

    @override
    async def execute(self, context: Context, config: EvmWatchConfig, payload: Payload) -> Result:
        """Return ``events`` in their order, ``count``, ``next_block`` (start there next time) and ``newest_block``.

        No block is read in part: ``next_block`` neither skips nor repeats an event.
        """
        await load_codec()
        from core_engine.components.chain import abi  # noqa: PLC0415 - heavy, only where used

        entry = abi.read_entry(config.event, "event", config.event_name)
        query = {"address": abi.address(config.address), "topics": [f"0x{entry.hash.hex()}"]}
        events: list[dict[str, Any]] = []
        async with open_node(config, self._network) as node:
            newest = await node.number("eth_blockNumber")
            last = newest - config.confirmations
            if config.to_block is not None:
                last = min(last, config.to_block)
            last = min(last, config.from_block + config.max_blocks - 1)
            place, size = config.from_block, config.chunk_blocks
            while place <= last and len(events) < config.max_events:
                end = min(place + size - 1, last)
                logs = await _logs(node, query, place, end)
                if logs is None or (len(events) + len(logs) > config.max_events and end > place):
                    if end == place:
                        raise FloworkError(
                            ErrorCode.COMPONENT_FAILED, f"The node refuses the logs of block {place}."
                        )
                    size = max((end - place + 1) // 2, 1)
                    continue
                events += [_described(entry, log) for log in logs]
                place, size = end + 1, min(size * 2, config.chunk_blocks)
        data = {"events": events, "count": len(events), "next_block": place, "newest_block": newest}
        return Result.on("success", data, payload.history)


async def _logs(node: Node, query: dict[str, Any], first: int, last: int) -> list[dict[str, Any]] | None:
    """Return the logs of some blocks, None when the node finds them too many."""
    try:
        logs = await node.call("eth_getLogs", {**query, "fromBlock": hex(first), "toBlock": hex(last)})
    except RpcError:
        return None
    except FloworkError as error:
        if error.code is ErrorCode.TOO_LARGE:
            return None
        raise
    if not isinstance(logs, list) or not all(isinstance(log, dict) for log in logs):
        raise FloworkError(
            ErrorCode.COMPONENT_FAILED, "The node answered with something that is no list of logs."
        )
    return [log for log in logs if not log.get("removed")]


def _described(entry: Any, log: dict[str, Any]) -> dict[str, Any]:
    topics = [raw_bytes(topic) for topic in log.get("topics") or ()]
    return {
        "event": entry.name,
        "args": entry.decode_log(topics, raw_bytes(log.get("data"))),
        "block": quantity(log.get("blockNumber")),
        "log_index": quantity(log.get("logIndex")),
        "transaction": str(log.get("transactionHash"))[:66],
    }
