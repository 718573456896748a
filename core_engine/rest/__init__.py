"""The engine's REST operations, served to the gateway over HTTP and over the link from one set of handlers."""
