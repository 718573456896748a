"""The migrations, run by `gateway.db.migrate`."""
