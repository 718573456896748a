"""The engine's connection to the gateway, made from the inside out; all works without it too (protocol §3.3)."""
