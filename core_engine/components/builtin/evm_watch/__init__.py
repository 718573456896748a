"""EVM events: the component, its icon and a runnable example."""
