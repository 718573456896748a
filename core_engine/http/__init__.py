"""The engine's internal HTTP API for the gateway and for monitoring."""
