"""The raw WebSocket: connections, their limits, and the frames that travel on them (protocol §4.1)."""
