"""Opens the store that the settings name: files of the data folder, or a schema of a PostgreSQL database."""

from __future__ import annotations

from core_engine.settings import EngineSettings
from core_engine.storage.store import EngineStore
from shared.settings import reveal


def open_store(settings: EngineSettings) -> EngineStore:
    """Open it; blocks for a moment. Raises what `EngineStore.open` or `open_postgres` raises."""
    shared, folder = settings.shared, settings.data.engine_dir
    url = reveal(shared.database_url)
    if not url.startswith("postgres") or shared.storage == "files":
        return EngineStore.open(folder)
    from core_engine.storage.postgres.store import open_postgres  # noqa: PLC0415 - the driver, only where used
    from core_engine.storage.postgres.target import Target  # noqa: PLC0415

    target = Target.of(url, shared.database_schema)
    return open_postgres(target, folder, settings.identity.engine_id, shared.lease_seconds)
