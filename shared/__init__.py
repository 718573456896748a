"""What gateway, engine and clients have in common: pure code without I/O, without a clock, without a runtime."""
