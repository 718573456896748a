"""Billing: plans and their limits, usage, quotes, payments by wallet, credit, invoices and notices."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from shared.contract.base import Address, Auth, Incoming, Operation, Outgoing, Rate

PlanId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,31}$")]
TxHash = Annotated[str, StringConstraints(pattern=r"^0x[0-9a-fA-F]{64}$")]
BaseUnits = Annotated[str, StringConstraints(pattern=r"^-?[0-9]{1,78}$")]
"""A whole number of an asset's smallest unit, as text, because JSON readers lose digits of large numbers."""
Outcome = Literal[
    "ok",
    "underpaid",
    "overpaid",
    "wrong_asset",
    "wrong_sender",
    "late",
    "replayed",
    "pending",
    "no_quote",
    "no_payment",
    "failed",
]


class PlanLimits(Outgoing):
    """What a plan allows; null is without limit."""

    engines: int | None
    shares: int | None
    relay_messages_per_day: int | None
    share_retention_days: int | None


class PlanItem(Outgoing):
    """A plan; ``prices`` are for a month of 30 days, in whole units of each asset."""

    id: PlanId
    name: str
    description: str
    limits: PlanLimits
    prices: dict[str, str]


class AssetItem(Outgoing):
    """An asset that is taken; ``contract`` is null for the chain's own coin."""

    symbol: str
    decimals: int
    contract: Address | None


class ChainItem(Outgoing):
    """A chain on which is paid; a payment counts after ``confirmations`` blocks."""

    chain_id: int
    name: str
    recipient: Address
    confirmations: int
    assets: list[AssetItem]


class Plans(Outgoing):
    """Plans, lowest first, and how they can be paid; ``enforced`` tells whether limits apply on this gateway."""

    enforced: bool
    plans: list[PlanItem]
    chains: list[ChainItem]


class Subscription(Outgoing):
    """The plan in force; ``later`` are lower plans that go on when it ends. Times are ISO 8601."""

    plan: PlanId
    expires_at: str | None
    limits: PlanLimits
    later: dict[PlanId, str]


class UsageQuery(Incoming):
    """How many days, today included."""

    days: int = Field(default=30, ge=1, le=366)


class UsageItem(Outgoing):
    """What one engine was used for on a day (UTC)."""

    engine_id: str
    relay_messages: int
    runs_started: int
    engine_days: int


class UsageDay(Outgoing):
    """A day's sums and its engines."""

    day: str
    relay_messages: int
    runs_started: int
    engine_days: int
    engines: list[UsageItem]


class Usage(Outgoing):
    """Usage by day, oldest first, without gaps, and where the caller stands against the plan's limits."""

    days: list[UsageDay]
    used: dict[str, int]
    limits: PlanLimits


class CheckoutBody(Incoming):
    """What to buy and how it will be paid; ``asset`` is a symbol of `Plans.chains`."""

    plan: PlanId
    months: int = Field(ge=1, le=24)
    chain_id: int = Field(ge=1, le=2**53)
    asset: str = Field(min_length=1, max_length=16)


class Quote(Outgoing):
    """An offer: send exactly ``amount`` base units of the asset to ``recipient`` before it expires.

    The payment must come from ``payer``. ``credit_used`` was taken off already. ``contract`` is the token's address,
    null for the chain's own coin. ``reference`` is the small part of the amount that makes it unique.
    """

    id: str
    plan: PlanId
    months: int
    payer: Address
    recipient: Address
    amount: BaseUnits
    asset: str
    decimals: int
    contract: Address | None
    chain_id: int
    credit_used: BaseUnits
    reference: int
    status: Literal["open", "paid", "closed"]
    expires_at: str


class PaymentBody(Incoming):
    """A payment that was sent; ``chain_id`` may be left out where the caller's newest quote says it."""

    tx_hash: TxHash
    chain_id: int | None = Field(default=None, ge=1, le=2**53)


class Payment(Outgoing):
    """What became of a payment; `docs/billing.md` tells what each outcome means."""

    tx_hash: TxHash
    chain_id: int
    outcome: Outcome
    message: str
    asset: str | None
    amount: BaseUnits | None
    credited: BaseUnits
    quote_id: str | None
    confirmations: int
    confirmations_needed: int
    at: str


class CreditItem(Outgoing):
    """A change of the credit in one asset."""

    chain_id: int
    asset: str
    amount: BaseUnits
    reason: str
    at: str


class CreditBalance(Outgoing):
    """Credit in one asset, used at the next checkout in it."""

    chain_id: int
    asset: str
    amount: BaseUnits


class Credits(Outgoing):
    """Balances, and the latest 200 entries behind them, newest first."""

    balances: list[CreditBalance]
    entries: list[CreditItem]


class Invoice(Outgoing):
    """An invoice; numbers run without gaps. A credit note has a negative total and names what it takes back."""

    number: int
    issued_at: str
    plan: PlanId
    months: int
    asset: str
    chain_id: int
    total: str
    corrects: int | None
    sha256: str


class Notice(Outgoing):
    """Something the caller should know, newest first."""

    id: int
    kind: str
    message: str
    at: str


_COMMON = "billing"
GET_PLANS = Operation(
    "get_plans",
    "GET",
    "/billing/plans",
    Auth.NONE,
    "Plans, their limits, prices and how to pay",
    Plans,
    _COMMON,
)
GET_SUBSCRIPTION = Operation(
    "get_subscription",
    "GET",
    "/billing/subscription",
    Auth.WALLET,
    "The caller's plan",
    Subscription,
    _COMMON,
)
GET_USAGE = Operation(
    "get_usage", "GET", "/billing/usage", Auth.WALLET, "The caller's usage, day by day", Usage, _COMMON,
    query=UsageQuery, errors=("INVALID_REQUEST",),
)  # fmt: skip
CHECKOUT = Operation(
    "checkout", "POST", "/billing/checkout", Auth.WALLET, "Get a quote for a plan; credit is used first", Quote,
    _COMMON, status=201, body=CheckoutBody, errors=("INVALID_REQUEST", "NOT_FOUND", "CONFLICT"),
)  # fmt: skip
SUBMIT_PAYMENT = Operation(
    "submit_payment", "POST", "/billing/payments", Auth.WALLET, "Tell of a payment that was sent", Payment, _COMMON,
    body=PaymentBody, errors=("INVALID_REQUEST", "NOT_FOUND", "CONFLICT", "ENGINE_UNAVAILABLE"), rate=Rate.STRICT,
)  # fmt: skip
LIST_PAYMENTS = Operation(
    "list_payments", "GET", "/billing/payments", Auth.WALLET, "The caller's latest 200 payments, newest first",
    list[Payment], _COMMON,
)  # fmt: skip
GET_CREDITS = Operation(
    "get_credits", "GET", "/billing/credits", Auth.WALLET, "The caller's credit", Credits, _COMMON
)
LIST_INVOICES = Operation(
    "list_invoices", "GET", "/billing/invoices", Auth.WALLET, "The caller's invoices, newest first", list[Invoice],
    _COMMON,
)  # fmt: skip
DOWNLOAD_INVOICE = Operation(
    "download_invoice", "GET", "/billing/invoices/{number}/pdf", Auth.WALLET, "An invoice as PDF", bytes, _COMMON,
    errors=("NOT_FOUND",), media="application/pdf",
)  # fmt: skip
LIST_NOTICES = Operation(
    "list_notices",
    "GET",
    "/billing/notices",
    Auth.WALLET,
    "The caller's latest 100 notices",
    list[Notice],
    _COMMON,
)
