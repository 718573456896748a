"""Sharing engines with others, in roles."""
