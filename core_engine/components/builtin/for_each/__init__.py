"""For each: the component, its icon and a runnable example."""
