"""Make archive: the component, its icon and a runnable example."""
