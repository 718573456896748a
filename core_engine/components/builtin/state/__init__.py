"""Remember a value: the component, its icon and a runnable example."""
