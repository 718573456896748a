"""What the tests of the web GUI share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import gui


@pytest.fixture(scope="session")
def page_folder() -> Path:
    """Return the built page, with the packages of its project installed."""
    return gui.built_page()
