"""Publish event: the component, its icon and a runnable example."""
