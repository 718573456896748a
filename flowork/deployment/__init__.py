"""What an installation needs around the running services: the secrets of its ``.env`` and backups of its data."""
