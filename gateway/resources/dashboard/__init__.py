"""The dashboard's summary."""
