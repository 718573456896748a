"""Several processes of one engine take clients: the leading one decides, the others are fronts before it (ADR 16)."""
