"""Engines: registration, tokens, names, claims."""
