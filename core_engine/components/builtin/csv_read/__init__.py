"""Read CSV: the component, its icon and a runnable example."""
