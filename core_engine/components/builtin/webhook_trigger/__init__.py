"""Webhook trigger: the component, its icon and a runnable example."""
