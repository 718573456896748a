"""EVM send: the component, its icon and a runnable example."""
