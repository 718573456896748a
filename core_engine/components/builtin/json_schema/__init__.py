"""Check by JSON Schema: the component, its icon and a runnable example."""
