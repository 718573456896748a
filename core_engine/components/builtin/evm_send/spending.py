"""What a key has spent on a chain within a day, over all steps, runs and restarts; kept before anything is sent."""

from __future__ import annotations

import asyncio
from typing import Any

from core_engine.components.chain.amounts import coins, wei
from core_engine.components.records import MISSING
from core_engine.components.state import Change, ComponentState, Place, place_of
from core_engine.kernel.context import Context
from shared.errors import ErrorCode, FloworkError

_HOUR_MS = 3_600_000
_HOURS = 24


class DailySpending:
    """Adds up the highest costs of one key's transactions on one chain, by the hour.

    The hour that began more than a day ago still counts until it is wholly past, so within any 24 hours no more than
    the limit is spent.
    """

    def __init__(self, state: ComponentState, context: Context, chain_id: int, address: str) -> None:
        self._state = state
        self._place: Place = place_of(context, "evm_send", "engine", f"{chain_id} {address.lower()}")

    async def check(self, cost: int, limit: str) -> None:
        """Raise BUDGET_EXCEEDED where a transaction of this cost (in wei) is too much; note nothing."""
        spent = await asyncio.to_thread(self._state.get, self._place)
        _add(spent, self._hour(), cost, limit)

    async def reserve(self, cost: int, limit: str, tx_hash: str) -> None:
        """Note a transaction that is about to be sent, once for its hash; raise BUDGET_EXCEEDED where it is too much.

        Without a limit it is noted all the same: other steps with this key may have one.
        """
        hour = self._hour()

        def edit(spent: Any) -> Change:
            return Change(_add(spent, hour, cost, limit), result=None)

        await asyncio.to_thread(self._state.change, self._place, f"evm_send {tx_hash}", edit)

    def _hour(self) -> int:
        return self._state.now_ms() // _HOUR_MS


def _add(spent: Any, hour: int, cost: int, limit: str) -> dict[str, str]:
    """Return what is spent by the hour with a cost added; hours that no longer count are left out."""
    kept = (
        {} if spent is MISSING else {at: amount for at, amount in spent.items() if int(at) >= hour - _HOURS}
    )
    total = sum(map(int, kept.values()))
    if limit and total + cost > wei(limit):
        raise FloworkError(
            ErrorCode.BUDGET_EXCEEDED,
            f"The transaction could cost {coins(cost)}, and this key has used {coins(total)} of its daily limit {limit}"
            " on this chain.",
        )
    return kept | {str(hour): str(int(kept.get(str(hour), "0")) + cost)}
