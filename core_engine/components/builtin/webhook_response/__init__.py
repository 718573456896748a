"""Webhook response: the component, its icon and a runnable example."""
