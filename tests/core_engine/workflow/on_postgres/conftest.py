"""What only PostgreSQL can do: several processes of one engine. Its schemas are used again, emptied."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.engine_stores import Schemas


@pytest.fixture(autouse=True)
def emptied(schemas: Schemas) -> Iterator[None]:
    yield
    schemas.clean()
