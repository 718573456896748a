"""Split into batches: the component, its icon and a runnable example."""
