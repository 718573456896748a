"""Date and time: the component, its icon and a runnable example."""
