"""What happens around the application at the start: settings, folder, database, bundled engine."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from sqlalchemy.exc import SQLAlchemyError

from gateway import address
from gateway.app import Deps, GatewayApp, create_app
from gateway.auth.engine_token import hash_token
from gateway.db import audit, migrate
from gateway.db.database import Database
from gateway.db.opening import open_store
from gateway.production import require_secret
from gateway.resources.engines import queries
from gateway.settings import FOREIGN, PREFIXES, GatewaySettings
from shared import logs
from shared.clock import Clock, SystemClock
from shared.errors import ErrorCode, FloworkError
from shared.settings import load, reveal
from shared.software import require_sound_software

_log = logging.getLogger(__name__)


def read_settings(environ: Mapping[str, str], *, production: bool = False) -> GatewaySettings:
    """Read the settings and set up the log; raises CONFIGURATION, in production also for a missing secret."""
    settings = load(GatewaySettings, environ, prefixes=PREFIXES, foreign=FOREIGN)
    if production:
        require_secret(settings)
    server = settings.server
    logs.configure("gateway", level=server.log_level, as_json=server.log_format == "json")
    return settings


def build(settings: GatewaySettings, clock: Clock | None = None) -> GatewayApp:
    """Prepare folder and database and build the application; raises CONFIGURATION."""
    require_sound_software()
    clock = clock or SystemClock()
    database = open_database(settings)
    try:
        migrate.upgrade(database)
        seed(settings, database, clock)
    except SQLAlchemyError as error:
        database.close()
        cause = getattr(error, "orig", None) or error
        raise FloworkError(
            ErrorCode.CONFIGURATION, f"The gateway's database cannot be used: {str(cause).splitlines()[0]}"
        ) from error
    return create_app(settings, Deps(clock, database))


def open_database(settings: GatewaySettings) -> Database:
    """Make the data folder and open the database that the settings name; raises CONFIGURATION."""
    folder = address.address_file(settings).parent
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        address.withdraw(settings)
    except OSError as error:
        raise FloworkError(
            ErrorCode.CONFIGURATION, f"The data folder {folder} cannot be used: {error.strerror}."
        ) from error
    return open_store(settings)


def seed(settings: GatewaySettings, database: Database, clock: Clock) -> None:
    """Enter the bundled engine, if there is one and it is not known; raises CONFIGURATION."""
    bundled, now_ms = settings.bundled, clock.now_ms()
    token = reveal(bundled.engine_token)
    if bundled.engine_id and not token:
        raise FloworkError(
            ErrorCode.CONFIGURATION, "GATEWAY_BUNDLED_ENGINE_ID needs GATEWAY_BUNDLED_ENGINE_TOKEN beside it."
        )
    with database.write() as connection:
        migrate.lock(database, connection)
        audit.purge(connection, now_ms)
        if not bundled.engine_id:
            return
        known = queries.find(connection, bundled.engine_id)
        if known is None:
            queries.add(
                connection,
                engine_id=bundled.engine_id,
                owner=None,
                name=bundled.engine_name,
                token_hash=hash_token(token),
                now_ms=now_ms,
            )
        elif known.token_hash != hash_token(token):
            _log.warning("the bundled engine's token was reset since; the given one will not be accepted")
