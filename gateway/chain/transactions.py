"""What a transaction brought to an address: the chain's own coin, and ERC-20 tokens by their Transfer events."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from gateway.chain.rpc import Node, quantity, unavailable

TRANSFER = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
"""Keccak-256 of ``Transfer(address,address,uint256)``."""


@dataclass(frozen=True, slots=True)
class Received:
    """Something that came in; ``contract`` is the token's address in lower case, None for the coin."""

    sender: str
    contract: str | None
    amount: int


@dataclass(frozen=True, slots=True)
class Sighting:
    """A transaction as it stands in a block at present; addresses are in lower case."""

    succeeded: bool
    received: tuple[Received, ...]
    block_number: int
    block_hash: str
    block_ms: int
    confirmations: int


class Transactions:
    """Looks up transactions on one chain."""

    def __init__(self, url: str, chain_id: int) -> None:
        self._node = Node(url)
        self._chain_id = chain_id

    def look(self, tx_hash: str, recipient: str) -> Sighting | None:
        """Return what the transaction brought to the recipient, None where it is in no block at the moment.

        Raises ENGINE_UNAVAILABLE where the node does not answer or is on another chain.
        """
        node = self._node
        if node.number("eth_chainId") != self._chain_id:
            raise unavailable(f"The node is not on chain {self._chain_id}.")
        receipt = node.call("eth_getTransactionReceipt", tx_hash)
        sent = node.call("eth_getTransactionByHash", tx_hash)
        if not isinstance(receipt, dict) or not isinstance(sent, dict):
            return None
        number, block_hash = quantity(receipt.get("blockNumber")), str(receipt.get("blockHash"))
        block = node.call("eth_getBlockByNumber", hex(number), False)
        if not isinstance(block, dict) or block.get("hash") != block_hash:
            return None  # the chain is being reorganised at this moment
        succeeded = receipt.get("status") == "0x1"
        return Sighting(
            succeeded=succeeded,
            received=tuple(_received(sent, receipt, recipient)) if succeeded else (),
            block_number=number,
            block_hash=block_hash,
            block_ms=quantity(block.get("timestamp")) * 1000,
            confirmations=max(0, node.number("eth_blockNumber") - number + 1),
        )


def _received(sent: dict[str, Any], receipt: dict[str, Any], recipient: str) -> Iterator[Received]:
    value = quantity(sent.get("value"))
    if value and str(sent.get("to")).lower() == recipient:
        yield Received(str(sent.get("from")).lower(), None, value)
    for log in receipt.get("logs", ()):
        topics = log.get("topics", ())
        # An ERC-721 has the same event with a fourth topic and no data.
        if len(topics) != 3 or topics[0] != TRANSFER or log.get("removed"):
            continue
        if _address(topics[2]) != recipient or len(log.get("data", "")) != 66:
            continue
        amount = int(log["data"], 16)
        if amount:
            yield Received(_address(topics[1]), str(log.get("address")).lower(), amount)


def _address(topic: str) -> str:
    return f"0x{topic[-40:]}".lower()
