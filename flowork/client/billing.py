"""The client's side of billing."""

from __future__ import annotations

from flowork.client.gateway import Client, checked
from shared.contract import billing


class BillingClient:
    """Everything an identity can ask about plans and payments; every method raises `FloworkError`."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def plans(self) -> billing.Plans:
        """Return plans, prices and chains; needs no identity."""
        return self._client.perform(billing.GET_PLANS, billing.Plans)

    def subscription(self) -> billing.Subscription:
        """Return the plan in force."""
        return self._client.perform(billing.GET_SUBSCRIPTION, billing.Subscription)

    def usage(self, days: int) -> billing.Usage:
        """Return the usage of the last days."""
        return self._client.perform(billing.GET_USAGE, billing.Usage, query={"days": str(days)})

    def checkout(self, plan: str, months: int, chain_id: int, asset: str) -> billing.Quote:
        """Get a quote."""
        body = checked(billing.CheckoutBody, plan=plan, months=months, chain_id=chain_id, asset=asset)
        return self._client.perform(billing.CHECKOUT, billing.Quote, body)

    def pay(self, tx_hash: str, chain_id: int | None) -> billing.Payment:
        """Tell of a payment that was sent."""
        body = checked(billing.PaymentBody, tx_hash=tx_hash, chain_id=chain_id)
        return self._client.perform(billing.SUBMIT_PAYMENT, billing.Payment, body)

    def payments(self) -> list[billing.Payment]:
        """Return the payments, newest first."""
        return self._client.perform(billing.LIST_PAYMENTS, list[billing.Payment])

    def credit(self) -> billing.Credits:
        """Return the credit."""
        return self._client.perform(billing.GET_CREDITS, billing.Credits)

    def invoices(self) -> list[billing.Invoice]:
        """Return the invoices, newest first."""
        return self._client.perform(billing.LIST_INVOICES, list[billing.Invoice])

    def invoice_pdf(self, number: int) -> bytes:
        """Return an invoice as PDF."""
        return self._client.fetch(billing.DOWNLOAD_INVOICE, number=str(number))

    def notices(self) -> list[billing.Notice]:
        """Return the notices, newest first."""
        return self._client.perform(billing.LIST_NOTICES, list[billing.Notice])
