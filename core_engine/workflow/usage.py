"""What steps used, added up: for the budgets of running steps and for whoever reads the run."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from core_engine.kernel.context import Spent
from core_engine.workflow.records import StepSpent
from shared.contract.usage import UsageTotals

MOST_SPENDINGS = 10_000
_LONGEST_NAME = 200
_MOST_TOKENS = 2**53


@dataclass(frozen=True, slots=True)
class Spending:
    """One use of something that costs, checked."""

    kind: str
    model: str
    tokens_in: int
    tokens_out: int
    cost: str
    currency: str
    estimated: bool

    @classmethod
    def of(  # noqa: PLR0913 - the same as `Context.spend`
        cls,
        kind: str,
        *,
        tokens_in: int = 0,
        tokens_out: int = 0,
        cost: Decimal | float | str = 0,
        currency: str = "USD",
        model: str = "",
        estimated: bool = False,
    ) -> Spending:
        """Check what a component says; raises ValueError."""
        tokens = int(tokens_in), int(tokens_out)
        if not all(0 <= count <= _MOST_TOKENS for count in tokens):
            raise ValueError("a number of tokens is not negative")
        names = (_name(kind), _name(model), _name(currency))
        return cls(names[0], names[1], *tokens, money(amount(cost)), names[2], bool(estimated))

    def record(self, seq: int, at: int, node: int, attempt: int) -> StepSpent:
        """Return it as a record."""
        return StepSpent(
            seq,
            at,
            node,
            attempt,
            self.kind,
            self.model,
            self.tokens_in,
            self.tokens_out,
            self.cost,
            self.currency,
            self.estimated,
        )


class Tally:
    """A sum of spendings."""

    __slots__ = ("calls", "cost", "estimated", "tokens_in", "tokens_out")

    def __init__(self) -> None:
        self.calls = self.tokens_in = self.tokens_out = 0
        self.cost: dict[str, Decimal] = {}
        self.estimated = False

    def add(self, record: StepSpent) -> None:
        """Count one more."""
        self.calls += 1
        self.tokens_in += record.tokens_in
        self.tokens_out += record.tokens_out
        self.estimated = self.estimated or record.estimated
        cost = Decimal(record.cost)
        if cost:
            self.cost[record.currency] = self.cost.get(record.currency, Decimal(0)) + cost

    def to_wire(self) -> UsageTotals:
        """Return the sum as clients see it."""
        return UsageTotals(
            calls=self.calls,
            tokens_in=self.tokens_in,
            tokens_out=self.tokens_out,
            cost={currency: money(cost) for currency, cost in sorted(self.cost.items())},
            estimated=self.estimated,
        )


class Usage:
    """The fold of a run's spendings: in all, and by node. The same records always give the same sums."""

    __slots__ = ("_nodes", "_run")

    def __init__(self) -> None:
        self._run = Tally()
        self._nodes: dict[int, Tally] = {}

    def add(self, record: StepSpent) -> None:
        """Count one more."""
        self._run.add(record)
        tally = self._nodes.get(record.node)
        if tally is None:
            tally = self._nodes[record.node] = Tally()
        tally.add(record)

    def total(self) -> Spent:
        """Return what the run has used."""
        run = self._run
        return Spent(run.tokens_in, run.tokens_out, dict(run.cost))

    def of_run(self) -> UsageTotals | None:
        """Return the run's sum, None when nothing was used."""
        return self._run.to_wire() if self._nodes else None

    def of_node(self, node: int) -> UsageTotals | None:
        """Return a node's sum, None when it used nothing."""
        tally = self._nodes.get(node)
        return tally.to_wire() if tally else None


def amount(value: Decimal | float | str) -> Decimal:
    """Return an amount of money; raises ValueError when it is negative, endless or no number."""
    try:
        cost = Decimal(str(value))
    except InvalidOperation as error:
        raise ValueError(f"{value!r} is no amount of money") from error
    if not cost.is_finite() or not 0 <= cost < Decimal(10) ** 15:
        raise ValueError(f"{value!r} is no amount of money")
    return cost.quantize(Decimal("1e-12"))


def money(value: Decimal) -> str:
    """Return an amount as plain decimal text without needless zeros."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _name(text: str) -> str:
    return str(text)[:_LONGEST_NAME].encode("utf-8", "replace").decode()
