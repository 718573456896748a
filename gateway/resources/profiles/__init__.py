"""Profiles, what pages keep for their user, and the end of an account."""
