"""Databases of gateways to test against: empty ones, and ones with the schema, of one PostgreSQL server."""

from __future__ import annotations

from dataclasses import dataclass, replace

from gateway.db import migrate
from gateway.db.database import Database
from tests.support.postgres import PostgresServer


@dataclass
class Databases:
    """Databases of one server."""

    server: PostgresServer
    made: int = 0
    migrated: str = ""

    def create_database(self, template: str = "template1") -> str:
        """Return the URL of an empty database, or of a copy of another."""
        self.made += 1
        name = f"gateway_{self.made}"
        with self.server.connect() as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return replace(self.server, database=name).url

    def create_migrated(self) -> str:
        """Return the URL of a database with the gateway's schema, which is made once and copied."""
        if not self.migrated:
            url = self.create_database()
            database = Database(url)
            migrate.upgrade(database)
            database.close()
            self.migrated = url.rpartition("/")[2]
        return self.create_database(self.migrated)
