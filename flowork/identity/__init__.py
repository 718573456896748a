"""Identities of the command line: wallet keys in encrypted files of the user, or from the environment."""
