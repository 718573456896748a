"""AI extract: the component, its icon and a runnable example."""
