"""List files: the component, its icon and a runnable example."""
