"""One transaction: made within its limits, handed to the node, and watched until it is in a block."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from core_engine.components.chain.amounts import coins, wei
from core_engine.components.chain.rpc import Node, RpcError, quantity
from shared.errors import ErrorCode, FloworkError

if TYPE_CHECKING:
    from core_engine.components.builtin.evm_send.component import EvmSendConfig

_GWEI = 10**9
_SPARE_GAS = Decimal("1.2")
_SEND_TRIES = 4
_PAUSE = 0.5
_LOOK_EVERY = 1.0


@dataclass(frozen=True, slots=True)
class Draft:
    """A transaction before it is signed; amounts in wei. ``most`` is the highest it can cost."""

    chain_id: int
    nonce: int
    to: str
    value: int
    data: str
    gas: int
    max_fee: int
    priority_fee: int

    @property
    def most(self) -> int:
        """The amount and the highest fee."""
        return self.value + self.gas * self.max_fee

    @property
    def transaction(self) -> dict[str, Any]:
        """What the signer signs."""
        return {
            "type": 2,
            "chainId": self.chain_id,
            "nonce": self.nonce,
            "to": self.to,
            "value": self.value,
            "data": self.data,
            "gas": self.gas,
            "maxFeePerGas": self.max_fee,
            "maxPriorityFeePerGas": self.priority_fee,
        }


async def draft(node: Node, config: EvmSendConfig, sender: str) -> Draft:
    """Make the transaction. Raises INVALID_REQUEST, BUDGET_EXCEEDED when it could cost too much, or RpcError."""
    from core_engine.components.chain import abi  # noqa: PLC0415 - heavy, only where used

    to, value = abi.address(config.to), wei(config.amount)
    data = "0x"
    if config.function.strip():
        entry = abi.read_entry(config.function, "function", config.function_name)
        data = f"0x{entry.encode_call(config.arguments).hex()}"
    max_fee, priority_fee = await _fees(node, int(Decimal(str(config.max_fee_gwei)) * _GWEI))
    gas = config.gas_limit
    if gas is None:
        call = {"from": sender, "to": to, "value": hex(value), "data": data}
        gas = int(await node.number("eth_estimateGas", call) * _SPARE_GAS)
    nonce = await node.number("eth_getTransactionCount", sender, "pending")
    made = Draft(config.chain_id, nonce, to, value, data, gas, max_fee, priority_fee)
    if made.most > wei(config.spending_limit):
        message = (
            f"The transaction could cost {coins(made.most)}; the limit for one is {config.spending_limit}."
        )
        raise FloworkError(ErrorCode.BUDGET_EXCEEDED, message)
    return made


async def broadcast(node: Node, raw: str, tx_hash: str) -> None:
    """Hand a signed transaction to the node. Sending the very same one again does no harm, so that is tried.

    Raises FloworkError FORBIDDEN, which nothing tries again, when the node does not take it or nobody knows.
    """
    reason = ""
    for _ in range(_SEND_TRIES):
        try:
            await node.call("eth_sendRawTransaction", raw)
        except FloworkError as error:
            reason = error.message
            refused = isinstance(error, RpcError)
        else:
            return
        if await _is_known(node, tx_hash):
            return
        if refused:
            message = f"{reason} Transaction {tx_hash} was not taken."
            raise FloworkError(ErrorCode.FORBIDDEN, message)
        await asyncio.sleep(_PAUSE)
    message = (
        f"{reason} Whether transaction {tx_hash} was taken is not known; look it up before sending another."
    )
    raise FloworkError(ErrorCode.FORBIDDEN, message)


async def await_receipt(node: Node, tx_hash: str, confirmations: int, seconds: float) -> dict[str, Any]:
    """Return ``status``, ``block``, ``gas_used`` and ``fee``; the status is ``pending`` when that takes too long.

    Raises FloworkError FORBIDDEN, which nothing tries again, when the contract has undone the transaction.
    """
    receipt = None
    try:
        async with asyncio.timeout(seconds):
            while confirmations and not (receipt := await _look(node, tx_hash, confirmations)):  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(_LOOK_EVERY)
    except TimeoutError:
        pass  # it is sent and may still get into a block: not a failure
    if receipt is None:
        return {"status": "pending", "block": None, "gas_used": None, "fee": None}
    used, price = quantity(receipt.get("gasUsed")), quantity(receipt.get("effectiveGasPrice"))
    block = quantity(receipt.get("blockNumber"))
    if quantity(receipt.get("status")) != 1:
        message = f"Transaction {tx_hash} was undone by the contract in block {block}; its fee is paid."
        raise FloworkError(ErrorCode.FORBIDDEN, message)
    return {"status": "confirmed", "block": block, "gas_used": used, "fee": str(used * price)}


async def _look(node: Node, tx_hash: str, confirmations: int) -> dict[str, Any] | None:
    """Return the receipt once enough blocks stand on it; a node that fails now and then is asked again."""
    try:
        receipt = await node.call("eth_getTransactionReceipt", tx_hash)
        if not isinstance(receipt, dict):
            return None
        newest = await node.number("eth_blockNumber")
    except FloworkError:
        return None
    return receipt if newest - quantity(receipt.get("blockNumber")) + 1 >= confirmations else None


async def _fees(node: Node, most: int) -> tuple[int, int]:
    """Return the highest fee and the tip for a unit of gas, in wei, within the limit."""
    block = await node.call("eth_getBlockByNumber", "latest", False)
    base = quantity((block or {}).get("baseFeePerGas") or "0x0")
    try:
        tip = await node.number("eth_maxPriorityFeePerGas")
    except RpcError:
        tip = _GWEI
    if base > most:
        message = f"A unit of gas costs {base / _GWEI:g} gwei now; the most to pay is {most / _GWEI:g} gwei."
        raise FloworkError(ErrorCode.BUDGET_EXCEEDED, message)
    max_fee = min(2 * base + tip, most)
    return max_fee, min(tip, max_fee)


async def _is_known(node: Node, tx_hash: str) -> bool:
    try:
        return isinstance(await node.call("eth_getTransactionByHash", tx_hash), dict)
    except FloworkError:
        return False
