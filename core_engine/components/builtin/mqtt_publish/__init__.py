"""MQTT publish: the component, its icon and a runnable example."""
