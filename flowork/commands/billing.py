"""``flowork billing``: plans, usage, quotes, payments and invoices."""

from __future__ import annotations

import time
from pathlib import Path

import click

from flowork.client.billing import BillingClient
from flowork.client.deadline import Deadline
from flowork.terminal.reach import GatewayReach, gateway_options
from flowork.terminal.session import json_option
from flowork.terminal.text import printable
from shared.contract.billing import Payment, PlanItem, Plans
from shared.errors import ErrorCode, FloworkError

_POLL_SECONDS = 2.0
_PAID = ("ok", "overpaid", "replayed", "pending")
_UNPAID_EXIT = 1


@click.group(name="billing")
def command() -> None:
    """Plans, usage, quotes, payments and invoices."""


@command.command()
@json_option
@gateway_options
def plans(reach: GatewayReach, *, as_json: bool) -> None:
    """List the plans, their limits and prices, and your own."""
    with reach.client() as client:
        billing = BillingClient(client)
        offered, mine = billing.plans(), billing.subscription()
    if as_json:
        reach.terminal.show_json(offered)
        return
    rows = [
        (
            ("* " if plan.id == mine.plan else "  ") + plan.id,
            _limit(plan.limits.engines),
            _limit(plan.limits.shares),
            _limit(plan.limits.relay_messages_per_day),
            _limit(plan.limits.share_retention_days),
            _prices(plan, offered),
        )
        for plan in offered.plans
    ]
    head = ("PLAN", "ENGINES", "SHARES", "MESSAGES/DAY", "LINKS KEPT (DAYS)", "PRICE/30 DAYS")
    reach.terminal.show_table(head, rows, empty="No plans.")
    if not offered.enforced:
        reach.terminal.note("This gateway holds nobody to a plan.")
    elif mine.expires_at:
        reach.terminal.note(f"Your plan {mine.plan} ends at {mine.expires_at}.")


@command.command()
@click.option("--days", type=click.IntRange(1, 366), default=7, show_default=True)
@json_option
@gateway_options
def usage(reach: GatewayReach, *, days: int, as_json: bool) -> None:
    """Show your usage, day by day."""
    with reach.client() as client:
        used = BillingClient(client).usage(days)
    if as_json:
        reach.terminal.show_json(used)
        return
    rows = [
        (day.day, str(day.relay_messages), str(day.runs_started), str(day.engine_days)) for day in used.days
    ]
    reach.terminal.show_table(("DAY", "MESSAGES", "RUNS", "ENGINES"), rows, empty="Nothing yet.")


@command.command()
@click.argument("plan")
@click.option("--months", type=click.IntRange(1, 24), default=1, show_default=True, help="Times 30 days.")
@click.option("--chain", type=int, help="Chain id; not needed where there is one.")
@click.option("--asset", help="Asset to pay in; the chain's first one that has a price by default.")
@json_option
@gateway_options
def checkout(  # noqa: PLR0913 - one for each option
    reach: GatewayReach, *, plan: str, months: int, chain: int | None, asset: str | None, as_json: bool
) -> None:
    """Get a quote for PLAN: what to send where. Your credit is taken off."""
    with reach.client() as client:
        billing = BillingClient(client)
        chain_id, symbol = _way(billing.plans(), plan, chain, asset)
        quote = billing.checkout(plan, months, chain_id, symbol)
    terminal = reach.terminal
    if as_json:
        terminal.show_json(quote)
        return
    if quote.status == "paid":
        terminal.say("Paid from your credit.")
        return
    token = f" (token {quote.contract})" if quote.contract else ""
    terminal.say(f"Send exactly {_whole(quote.amount, quote.decimals)} {printable(quote.asset)}{token}")
    terminal.say(f"  in base units  {quote.amount}")
    terminal.say(f"  on chain       {quote.chain_id}")
    terminal.say(f"  to             {quote.recipient}")
    terminal.say(f"  from           {quote.payer}")
    terminal.say(f"  before         {quote.expires_at}")
    terminal.note("Then: flowork billing pay TRANSACTION_HASH")


@command.command()
@click.argument("tx")
@click.option("--chain", type=int, help="Chain id; your newest quote's by default.")
@click.option(
    "--wait", type=click.FloatRange(0, 3600), default=0, metavar="SECONDS", help="Wait for confirmations."
)
@json_option
@gateway_options
def pay(reach: GatewayReach, *, tx: str, chain: int | None, wait: float, as_json: bool) -> int:
    """Tell the gateway of the transaction TX that you sent; ends with 1 where it paid nothing."""
    with reach.client() as client:
        billing = BillingClient(client)
        told = billing.pay(tx, chain)
        if told.outcome == "pending" and wait:
            told = _followed(billing, told, wait)
    if as_json:
        reach.terminal.show_json(told)
    else:
        reach.terminal.say(f"{told.outcome}: {printable(told.message)}")
    return 0 if told.outcome in _PAID else _UNPAID_EXIT


@command.command()
@click.option("--download", type=int, metavar="NUMBER", help="Save this one as PDF.")
@click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False), help="Where to; invoice-N.pdf by default."
)
@json_option
@gateway_options
def invoices(reach: GatewayReach, *, download: int | None, output: Path | None, as_json: bool) -> None:
    """List your invoices, or download one."""
    with reach.client() as client:
        billing = BillingClient(client)
        if download is not None:
            path = output or Path(f"invoice-{download}.pdf")
            path.write_bytes(billing.invoice_pdf(download))
            reach.terminal.say(str(path))
            return
        found = billing.invoices()
    if as_json:
        reach.terminal.show_json(found)
        return
    rows = [
        (str(item.number), item.issued_at[:10], item.plan, str(item.months), f"{item.total} {item.asset}")
        for item in found
    ]
    reach.terminal.show_table(("NUMBER", "DATE", "PLAN", "MONTHS", "TOTAL"), rows, empty="No invoice yet.")


def _followed(billing: BillingClient, told: Payment, seconds: float) -> Payment:
    deadline = Deadline(seconds, f"confirmation of {told.tx_hash}")
    while told.outcome == "pending":
        time.sleep(deadline.sooner(_POLL_SECONDS))
        billing.pay(told.tx_hash, told.chain_id)  # makes the gateway look now
        own = (item for item in billing.payments() if item.tx_hash == told.tx_hash)
        told = next(own, told)
    return told


def _way(offered: Plans, plan_id: str, chain_id: int | None, asset: str | None) -> tuple[int, str]:
    """Return chain and asset: those named, or the only ones there are."""
    chains = [item for item in offered.chains if chain_id in {None, item.chain_id}]
    if len(chains) != 1:
        known = ", ".join(f"{item.chain_id} ({printable(item.name)})" for item in offered.chains) or "none"
        raise FloworkError(ErrorCode.INVALID_REQUEST, f"On which chain? Name it with --chain: {known}.")
    if asset is not None:
        return chains[0].chain_id, asset
    prices = next((item.prices for item in offered.plans if item.id == plan_id), {})
    fitting = [item.symbol for item in chains[0].assets if item.symbol in prices]
    if not fitting:
        raise FloworkError(ErrorCode.NOT_FOUND, f"The plan {plan_id} cannot be bought on this chain.")
    return chains[0].chain_id, fitting[0]


def _prices(plan: PlanItem, offered: Plans) -> str:
    taken = {asset.symbol for chain in offered.chains for asset in chain.assets}
    shown = [f"{price} {symbol}" for symbol, price in plan.prices.items() if not taken or symbol in taken]
    return " or ".join(shown) or "free"


def _limit(value: int | None) -> str:
    return "no limit" if value is None else str(value)


def _whole(units: str, decimals: int) -> str:
    digits = units.rjust(decimals + 1, "0")
    whole, rest = (digits[:-decimals], digits[-decimals:].rstrip("0")) if decimals else (digits, "")
    return f"{whole}.{rest}" if rest else whole
