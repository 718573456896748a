"""The marketplace: what people publish for others."""
