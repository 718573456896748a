"""The engine's storage on PostgreSQL: the same journal and tables, for several engine processes at once."""
