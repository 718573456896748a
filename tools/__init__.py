"""Tools for working on the platform; nothing of this is shipped."""
