"""What is asked of the database itself."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from gateway.db.database import Database
from gateway.db.tables import users


def is_answering(database: Database) -> bool:
    """Tell whether the database can be reached and read."""
    try:
        with database.read() as connection:
            connection.execute(select(users.c.id).limit(1)).first()
    except SQLAlchemyError:
        return False
    return True
