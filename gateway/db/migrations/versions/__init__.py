"""One file per change of the schema, in order: ``v0001_what.py`` holds revision ``0001``."""
