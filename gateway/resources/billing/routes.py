"""The REST shape of billing."""

from __future__ import annotations

from flask import Response

from gateway.context import Context
from gateway.web.routing import route
from shared.contract.billing import (
    CHECKOUT,
    DOWNLOAD_INVOICE,
    GET_CREDITS,
    GET_PLANS,
    GET_SUBSCRIPTION,
    GET_USAGE,
    LIST_INVOICES,
    LIST_NOTICES,
    LIST_PAYMENTS,
    SUBMIT_PAYMENT,
    CheckoutBody,
    Credits,
    Invoice,
    Notice,
    Payment,
    PaymentBody,
    Plans,
    Quote,
    Subscription,
    Usage,
    UsageQuery,
)


class Routes:
    """Answers the operations of billing."""

    def __init__(self, context: Context) -> None:
        self._billing = context.billing

    @route(GET_PLANS)
    def get_plans(self) -> Plans:
        """Return plans and how to pay."""
        return self._billing.shown_plans()

    @route(GET_SUBSCRIPTION)
    def get_subscription(self, caller: str) -> Subscription:
        """Return the caller's plan."""
        return self._billing.subscriptions.shown(caller)

    @route(GET_USAGE)
    def get_usage(self, caller: str, query: UsageQuery) -> Usage:
        """Return the caller's usage."""
        return self._billing.usage.of(caller, query.days)

    @route(CHECKOUT)
    def checkout(self, caller: str, body: CheckoutBody) -> Quote:
        """Make a quote."""
        return self._billing.checkout.quote(caller, body)

    @route(SUBMIT_PAYMENT)
    def submit_payment(self, caller: str, body: PaymentBody) -> Payment:
        """Verify a payment."""
        return self._billing.payments.submit(caller, body.tx_hash, body.chain_id)

    @route(LIST_PAYMENTS)
    def list_payments(self, caller: str) -> list[Payment]:
        """List the caller's payments."""
        return self._billing.payments.of(caller)

    @route(GET_CREDITS)
    def get_credits(self, caller: str) -> Credits:
        """Return the caller's credit."""
        return self._billing.credit.of(caller)

    @route(LIST_INVOICES)
    def list_invoices(self, caller: str) -> list[Invoice]:
        """List the caller's invoices."""
        return self._billing.invoices.of(caller)

    @route(DOWNLOAD_INVOICE)
    def download_invoice(self, caller: str, number: str) -> Response:
        """Return an invoice as PDF."""
        content = self._billing.invoices.pdf(caller, number)
        named = {"Content-Disposition": f'attachment; filename="invoice-{int(number)}.pdf"'}
        return Response(content, content_type="application/pdf", headers=named)

    @route(LIST_NOTICES)
    def list_notices(self, caller: str) -> list[Notice]:
        """List the caller's notices."""
        return self._billing.notices.of(caller)
