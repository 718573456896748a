"""Sends a transaction to an EVM chain."""

from __future__ import annotations

import asyncio
from typing import Any
from weakref import WeakValueDictionary

from pydantic import Field
from typing_extensions import override

from core_engine.components.builtin.evm_send.spending import DailySpending
from core_engine.components.builtin.evm_send.transaction import Draft, await_receipt, broadcast, draft
from core_engine.components.chain.rpc import ChainConfig, Node, load_codec, open_node, too_slow
from core_engine.components.chain.signing import Signer, open_signer
from core_engine.components.fields import JsonList, form
from core_engine.components.network import NetworkPolicy
from core_engine.components.state import ComponentState
from core_engine.kernel.component import Component, Execution, StepPolicy
from core_engine.kernel.context import Context
from core_engine.kernel.payload import Payload, Result


class EvmSendConfig(ChainConfig):
    """What to send, and how much it may cost."""

    chain_id: int = Field(
        ge=1, le=2**53, title="Chain id",
        description="The number of the chain, for example 1 or 137. A node on another chain is refused.",
    )  # fmt: skip
    private_key: str = Field(
        min_length=1, max_length=200, title="Private key",
        description="The key that pays and signs; put it into a secret variable. It is used in a process of its own.",
        json_schema_extra=form(placeholder="{{ vars.WALLET_KEY }}", secret=True),
    )  # fmt: skip
    to: str = Field(
        min_length=1, max_length=100, description="Who gets the amount, or the contract to call.",
        json_schema_extra=form(placeholder="0x…"),
    )  # fmt: skip
    amount: str = Field(
        "0", pattern=r"^\d{1,30}(\.\d{1,18})?$", description="How much of the chain's own coin goes along: 0.05."
    )  # fmt: skip
    function: str = Field(
        "", max_length=200_000,
        description="To call a contract: the function as a signature, or the contract's ABI as JSON. Empty only pays.",
        json_schema_extra=form(placeholder="transfer(address to, uint256 value)"),
    )  # fmt: skip
    function_name: str = Field(
        "", max_length=200, description="Which function of an ABI; not for a signature."
    )
    arguments: JsonList[Any] = Field(
        default_factory=list, max_length=100, description='The function\'s arguments as a list: ["0x…", 5].'
    )
    spending_limit: str = Field(
        pattern=r"^\d{1,30}(\.\d{1,18})?$", title="Spending limit",
        description=(
            "The most of the chain's own coin that one transaction may cost, amount and highest fee together. It does"
            " not know the worth of tokens that a contract moves."
        ),
    )  # fmt: skip
    daily_limit: str = Field(
        "", pattern=r"^(\d{1,30}(\.\d{1,18})?)?$", title="Daily limit",
        description=(
            "The most that all transactions of this key on this chain may cost within 24 hours, those of other steps"
            " and runs included: amounts and highest fees, from the moment they are sent. Empty: no such limit."
        ),
        json_schema_extra=form(placeholder="0.5"),
    )  # fmt: skip
    max_fee_gwei: float = Field(
        100.0, gt=0, le=1_000_000, title="Highest fee (gwei)", description="The most to pay for a unit of gas, in gwei."
    )  # fmt: skip
    gas_limit: int | None = Field(
        None, ge=21_000, le=100_000_000, description="Most gas the transaction may use; empty estimates it."
    )
    confirmations: int = Field(
        1, ge=0, le=1000, description="How many blocks to wait for; 0 does not wait at all."
    )
    timeout_seconds: float = Field(
        60.0, gt=0, le=3600, description="Longest time until the transaction is sent, in seconds."
    )
    wait_seconds: float = Field(
        300.0, gt=0, le=86_400,
        description="Longest wait for the blocks, in seconds; after that the status is pending.",
    )  # fmt: skip


class EvmSend(Component[EvmSendConfig]):
    """Sends."""

    id = "evm_send"
    name = "EVM send"
    description = "Pays or calls a contract on an EVM chain, within spending limits per transaction and day."
    category = "Chain"
    policy = StepPolicy.ONCE
    execution = Execution.ASYNC
    config_model = EvmSendConfig

    def __init__(self, network: NetworkPolicy, state: ComponentState) -> None:
        self._network = network
        self._state = state
        # one transaction after the other for each key, so that no two take the same nonce
        self._turns: WeakValueDictionary[tuple[int, str], asyncio.Lock] = WeakValueDictionary()

    @override
    async def execute(self, context: Context, config: EvmSendConfig, payload: Payload) -> Result:
        """Return ``hash``, ``from``, ``to``, ``nonce``, ``status``, ``block``, ``gas_used`` and ``fee`` (in wei).

        The hash is in the log before the transaction is sent, so it can be looked up whatever happens. After
        that no failure is one that is tried again.
        """
        await load_codec()
        connection = open_node(config, self._network, bounded=False)
        async with connection as node, open_signer(config.private_key) as signer:
            turn = self._turns.setdefault((config.chain_id, signer.address), asyncio.Lock())
            try:
                async with asyncio.timeout(config.timeout_seconds):
                    await turn.acquire()
            except TimeoutError:
                raise too_slow(config.timeout_seconds) from None
            try:
                made, raw, tx_hash = await _signed(node, config, signer)
                await self._spending(context, config, signer).reserve(made.most, config.daily_limit, tx_hash)
                context.log(f"Transaction {tx_hash} with nonce {made.nonce} is sent.")
                await broadcast(node, raw, tx_hash)
            finally:
                turn.release()
            receipt = await await_receipt(node, tx_hash, config.confirmations, config.wait_seconds)
        if receipt["block"] is None:
            context.log(
                f"Transaction {tx_hash} is not confirmed yet.", "WARN" if config.confirmations else "INFO"
            )
        data = {**_described(made, signer), "hash": tx_hash, **receipt}
        return Result.on("success", data, payload.history)

    @override
    async def simulate(self, context: Context, config: EvmSendConfig, payload: Payload) -> Result:
        """Ask the node whether it would work and what it would cost; sign and send nothing."""
        await load_codec()
        async with open_node(config, self._network) as node, open_signer(config.private_key) as signer:
            made = await draft(node, config, signer.address)
            await self._spending(context, config, signer).check(made.most, config.daily_limit)
            call = {"from": signer.address, "to": made.to, "value": hex(made.value), "data": made.data}
            await node.call("eth_call", call, "latest")
        context.log(f"Simulated: would cost at most {made.most} wei.")
        data = {**_described(made, signer), "hash": None, "status": "simulated", "simulated": True}
        return Result.on("success", data, payload.history)

    def _spending(self, context: Context, config: EvmSendConfig, signer: Signer) -> DailySpending:
        return DailySpending(self._state, context, config.chain_id, signer.address)


async def _signed(node: Node, config: EvmSendConfig, signer: Signer) -> tuple[Draft, str, str]:
    """Return the transaction, and signed as bytes and hash; what takes long is cut off before anything is sent."""
    try:
        async with asyncio.timeout(config.timeout_seconds):
            made = await draft(node, config, signer.address)
            return made, *(await signer.sign(made.transaction))
    except TimeoutError:
        raise too_slow(config.timeout_seconds) from None


def _described(made: Draft, signer: Signer) -> dict[str, Any]:
    return {
        "from": signer.address,
        "to": made.to,
        "value": str(made.value),
        "nonce": made.nonce,
        "gas_limit": made.gas,
        "highest_cost": str(made.most),
    }
