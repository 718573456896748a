"""AI agent: the component, its icon and a runnable example."""
