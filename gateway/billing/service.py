"""Billing as one part of the gateway: its pieces put together from the settings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from gateway.billing import usage
from gateway.billing.chains import Chains
from gateway.billing.checkout import Checkout
from gateway.billing.credit import Credit
from gateway.billing.invoices import Invoices
from gateway.billing.limits import Limits
from gateway.billing.metering import Meter
from gateway.billing.notices import Notices
from gateway.billing.payments import Payments
from gateway.billing.plans import Plans
from gateway.billing.settlement import Settlement
from gateway.billing.subscriptions import Subscriptions
from gateway.billing.usage import UsageSeries
from gateway.db.database import Database
from gateway.settings import BillingSettings
from shared.clock import Clock
from shared.contract import billing as contract

Job = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Billing:
    """Everything of billing that other parts of the gateway call."""

    settings: BillingSettings
    database: Database
    clock: Clock
    plans: Plans
    chains: Chains
    subscriptions: Subscriptions
    limits: Limits
    meter: Meter
    usage: UsageSeries
    checkout: Checkout
    payments: Payments
    credit: Credit
    invoices: Invoices
    notices: Notices

    @classmethod
    def open(cls, settings: BillingSettings, database: Database, clock: Clock) -> Self:
        """Read the plans and chains and build the rest; raises CONFIGURATION."""
        plans = Plans.load(settings.plans_file)
        chains = Chains.load(settings.chains_file if settings.enabled else None)
        subscriptions = Subscriptions(database, clock, plans)
        limits = Limits(database, clock, plans, subscriptions, enforced=settings.enabled)
        meter = Meter(database, clock, limits)
        settlement = Settlement(plans, settings.seller)
        quote_ms = int(settings.quote_minutes * 60_000)
        return cls(
            settings=settings,
            database=database,
            clock=clock,
            plans=plans,
            chains=chains,
            subscriptions=subscriptions,
            limits=limits,
            meter=meter,
            usage=UsageSeries(database, clock, meter, subscriptions),
            checkout=Checkout(database, clock, plans, chains, settlement, quote_ms),
            payments=Payments(database, clock, chains, settlement),
            credit=Credit(database),
            invoices=Invoices(database),
            notices=Notices(database, clock, plans),
        )

    def shown_plans(self) -> contract.Plans:
        """Return plans and chains as everybody may see them."""
        return contract.Plans(
            enforced=self.settings.enabled,
            plans=[plan.shown() for plan in self.plans.all()],
            chains=[chain.shown() for chain in self.chains.all()],
        )

    def shared_jobs(self) -> dict[str, Job]:
        """Return the periodic work that any process may do; doing it twice, or in two processes, changes nothing."""
        jobs: dict[str, Job] = {"count_engine_days": self.meter.note_engine_days, "fold_usage": self._fold}
        if self.settings.enabled:
            jobs |= {
                "expire_quotes": self.checkout.expire,
                "check_payments": self.payments.recheck,
                "remind": self.notices.remind,
            }
        return jobs

    def own_jobs(self) -> dict[str, Job]:
        """Return the periodic work of a gateway's process: its own counters, and what no Celery worker does."""
        jobs: dict[str, Job] = {"flush_usage": self.meter.flush}
        return jobs | (self.shared_jobs() if self.settings.jobs == "process" else {})

    def _fold(self) -> None:
        with self.database.write() as connection:
            usage.fold(connection, self.clock.now_ms())
