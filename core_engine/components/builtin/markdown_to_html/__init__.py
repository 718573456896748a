"""Markdown to HTML: the component, its icon and a runnable example."""
