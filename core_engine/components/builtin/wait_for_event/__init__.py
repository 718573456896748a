"""Wait for event: the component, its icon and a runnable example."""
