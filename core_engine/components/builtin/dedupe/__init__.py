"""Remove seen before: the component, its icon and a runnable example."""
