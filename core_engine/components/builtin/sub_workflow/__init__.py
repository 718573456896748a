"""Run a workflow: the component, its icon and a runnable example."""
