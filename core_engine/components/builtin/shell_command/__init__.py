"""Shell command: the component, its icon and a runnable example."""
