"""The gateway's own state."""
