"""End the loop: the component, its icon and a runnable example."""
