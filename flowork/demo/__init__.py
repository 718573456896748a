"""The demonstration: the whole platform, started, used as a client uses it, and stopped again."""
