"""MQTT wait: the component, its icon and a runnable example."""
