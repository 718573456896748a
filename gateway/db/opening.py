"""Opens the database that the settings name."""

from __future__ import annotations

from gateway import address
from gateway.db.database import Database
from gateway.settings import GatewaySettings
from shared.settings import reveal


def open_store(settings: GatewaySettings) -> Database:
    """Return the database of the settings' URL, or the SQLite file of the data folder; raises CONFIGURATION."""
    folder = address.address_file(settings).parent
    return Database(reveal(settings.storage.database_url) or f"sqlite:///{folder / 'gateway.db'}")
