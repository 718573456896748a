"""AI chat: the component, its icon and a runnable example."""
