"""The wire contract: every message, event and REST operation, declared once. See `shared.contract.catalog`."""
