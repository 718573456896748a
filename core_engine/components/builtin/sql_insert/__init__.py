"""SQL insert: the component, its icon and a runnable example."""
