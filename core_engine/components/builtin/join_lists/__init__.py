"""Join lists: the component, its icon and a runnable example."""
