"""Databases of others: where a step may connect to, what it may do there, and how rows become JSON."""
