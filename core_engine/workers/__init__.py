"""Worker processes that carry out steps for an engine: Celery's messages are hints, claims in PostgreSQL the truth."""
