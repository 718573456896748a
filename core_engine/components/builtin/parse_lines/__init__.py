"""Parse lines: the component, its icon and a runnable example."""
