"""Event bus trigger: the component, its icon and a runnable example."""
