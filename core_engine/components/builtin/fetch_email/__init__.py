"""Fetch e-mail: the component, its icon and a runnable example."""
