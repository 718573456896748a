"""Stop with error: the component, its icon and a runnable example."""
