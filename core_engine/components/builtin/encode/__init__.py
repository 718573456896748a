"""Encode and decode: the component, its icon and a runnable example."""
