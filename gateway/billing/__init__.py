"""Billing: plans and limits, metering, quotes and payments by wallet, credit, invoices, periodic work."""
