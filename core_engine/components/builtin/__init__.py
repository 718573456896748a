"""The components that come with the engine: one folder each, found by walking this package in sorted order."""
