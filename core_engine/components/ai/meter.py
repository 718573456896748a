"""What a call costs, and whether the run may make another one."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from core_engine.components.ai.settings import ModelConfig, ModelPrice
from core_engine.kernel.context import Context
from shared.errors import ErrorCode, FloworkError

_MILLION = Decimal(1_000_000)
_CHARACTERS_PER_TOKEN = 4


@dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens of one call; ``estimated`` when the endpoint did not count them."""

    into: int
    out: int
    estimated: bool = False

    @classmethod
    def guess(cls, sent: str, received: str) -> Tokens:
        """Estimate: a token for every four characters."""
        return cls(-(-len(sent) // _CHARACTERS_PER_TOKEN), -(-len(received) // _CHARACTERS_PER_TOKEN), True)

    @classmethod
    def counted(cls, usage: Any) -> Tokens | None:
        """Read what an endpoint counted, None when it said nothing usable."""
        into = getattr(usage, "prompt_tokens", None)
        out = getattr(usage, "completion_tokens", None) or 0
        if not isinstance(into, int) or not isinstance(out, int) or into < 0 or out < 0 or into + out == 0:
            return None
        return cls(into, out)


class Meter:
    """Counts the calls of one step and keeps to the limits of its run.

    The limits are looked at before each call against what the whole run has used by then; the call itself can
    go over them by what its input costs, because that is only known afterwards.
    """

    def __init__(self, config: ModelConfig, context: Context) -> None:
        self._config = config
        self._context = context
        self._price = _price_of(config)
        self._most_cost = Decimal(str(config.max_run_cost))
        self._into = self._out = 0
        self._cost = Decimal(0)
        self._estimated = False

    def check(self) -> None:
        """Raise FloworkError BUDGET_EXCEEDED when nothing is left to spend."""
        config, spent = self._config, self._context.spent()
        if config.max_run_tokens and spent.tokens >= config.max_run_tokens:
            message = (
                f"This run has used {spent.tokens} tokens; the most this step lets a run use is"
                f" {config.max_run_tokens}."
            )
            raise FloworkError(ErrorCode.BUDGET_EXCEEDED, message)
        if not self._most_cost:
            return
        if self._price is None:
            message = f"The cost of a run is limited, but there is no price for the model {config.model!r}."
            raise FloworkError(ErrorCode.INVALID_REQUEST, message)
        cost = spent.cost.get(config.currency.upper(), Decimal(0))
        if cost >= self._most_cost:
            message = (
                f"This run has cost {_plain(cost)} {config.currency.upper()}; the most this step lets a run cost is"
                f" {_plain(self._most_cost)}."
            )
            raise FloworkError(ErrorCode.BUDGET_EXCEEDED, message)

    def longest_answer(self, wanted: int | None) -> int | None:
        """Return how many tokens an answer may have: what is wanted, and no more than what is left of the budget."""
        limits = [] if wanted is None else [wanted]
        config, spent = self._config, self._context.spent()
        if config.max_run_tokens:
            limits.append(max(config.max_run_tokens - spent.tokens, 1))
        if self._most_cost and self._price and self._price.output:
            left = self._most_cost - spent.cost.get(config.currency.upper(), Decimal(0))
            limits.append(max(int(left * _MILLION / self._price.output), 1))
        return min(limits) if limits else None

    def count(self, kind: str, tokens: Tokens) -> None:
        """Tell the engine what a call used."""
        price = self._price or ModelPrice(model="*")
        cost = (tokens.into * price.input + tokens.out * price.output) / _MILLION
        self._into += tokens.into
        self._out += tokens.out
        self._cost += cost
        self._estimated = self._estimated or tokens.estimated
        self._context.spend(
            kind,
            tokens_in=tokens.into,
            tokens_out=tokens.out,
            cost=cost,
            currency=self._config.currency.upper(),
            model=self._config.model,
            estimated=tokens.estimated,
        )

    def to_wire(self) -> dict[str, Any]:
        """Return what this step has used, as a part of its result."""
        return {
            "tokens_in": self._into,
            "tokens_out": self._out,
            "cost": float(self._cost),
            "currency": self._config.currency.upper(),
            "estimated": self._estimated,
        }


def _price_of(config: ModelConfig) -> ModelPrice | None:
    prices = {price.model: price for price in config.prices}
    return prices.get(config.model) or prices.get("*")


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}"
