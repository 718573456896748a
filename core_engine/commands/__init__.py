"""What clients may ask of the engine: one module per contract domain, each command one decorated function."""
