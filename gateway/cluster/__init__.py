"""Several gateway processes as one: what they share in Redis (docs/adr says why so)."""
