"""The plans of a gateway, read from a JSON file: what each allows and what it costs."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shared.contract.billing import PlanId, PlanItem, PlanLimits
from shared.errors import ErrorCode, FloworkError

SHIPPED = Path(__file__).with_name("plans.json")
DAY_MS = 24 * 60 * 60 * 1000
MONTH_MS = 30 * DAY_MS
"""A month that is paid for: 30 days."""

ModelT = TypeVar("ModelT", bound=BaseModel)
Count = Annotated[int, Field(ge=0, le=10**12)] | None


class LimitsEntry(BaseModel):
    """What a plan allows; null is without limit."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    engines: Count
    shares: Count
    relay_messages_per_day: Count
    share_retention_days: Count

    def shown(self) -> PlanLimits:
        """Return the limits as the contract has them."""
        return PlanLimits(**self.model_dump())


class Plan(BaseModel):
    """A plan; ``prices`` are whole units of an asset a month, by the asset's symbol."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    id: PlanId
    name: str = Field(min_length=1, max_length=60)
    description: str = Field(max_length=300)
    limits: LimitsEntry
    prices: dict[str, Annotated[Decimal, Field(gt=0, lt=10**15, allow_inf_nan=False)]]

    def shown(self) -> PlanItem:
        """Return the plan as the contract has it."""
        prices = {symbol: format(price.normalize(), "f") for symbol, price in self.prices.items()}
        return PlanItem(
            id=self.id,
            name=self.name,
            description=self.description,
            limits=self.limits.shown(),
            prices=prices,
        )


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    plans: list[Plan] = Field(min_length=1, max_length=20)


class Plans:
    """All plans, lowest first; the first one is everybody's and costs nothing."""

    def __init__(self, plans: list[Plan]) -> None:
        self._plans = {plan.id: plan for plan in plans}
        self._ranks = {plan.id: rank for rank, plan in enumerate(plans)}

    @classmethod
    def load(cls, path: Path | None) -> Plans:
        """Read the plans; raises CONFIGURATION."""
        read = read_file(_File, path or SHIPPED, "GATEWAY_PLANS").plans
        if len({plan.id for plan in read}) < len(read):
            raise FloworkError(ErrorCode.CONFIGURATION, "GATEWAY_PLANS: two plans have the same id.")
        if read[0].prices:
            raise FloworkError(
                ErrorCode.CONFIGURATION,
                f"GATEWAY_PLANS: the first plan, {read[0].id}, must be without price.",
            )
        return cls(read)

    @property
    def free(self) -> Plan:
        """The plan of those who pay nothing."""
        return next(iter(self._plans.values()))

    def all(self) -> list[Plan]:
        """Return the plans, lowest first."""
        return list(self._plans.values())

    def find(self, plan_id: str) -> Plan | None:
        """Return a plan by its id."""
        return self._plans.get(plan_id)

    def rank(self, plan_id: str) -> int:
        """Return a plan's place, 0 for the lowest; -1 for one that is not offered any more."""
        return self._ranks.get(plan_id, -1)

    def higher(self, plan_id: str) -> Plan | None:
        """Return the next plan with a price."""
        above = [plan for plan in self.all() if self.rank(plan.id) > self.rank(plan_id) and plan.prices]
        return above[0] if above else None


def read_file(model: type[ModelT], path: Path, setting: str) -> ModelT:
    """Read a JSON file into a model; raises CONFIGURATION naming the setting and what is wrong."""
    try:
        return model.model_validate_json(path.read_bytes())
    except OSError as error:
        message = f"{setting}: {path} cannot be read: {error.strerror}."
        raise FloworkError(ErrorCode.CONFIGURATION, message) from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        message = f"{setting}: {path}: {place or 'file'}: {first['msg']}."
        raise FloworkError(ErrorCode.CONFIGURATION, message) from error
