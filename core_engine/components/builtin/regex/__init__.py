"""Regular expression: the component, its icon and a runnable example."""
