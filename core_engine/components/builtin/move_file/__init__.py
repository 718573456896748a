"""Move file: the component, its icon and a runnable example."""
