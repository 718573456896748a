"""Looks for what is wrong, or not as safe as it could be, with an installation."""
