"""What makes a seed cheap: nothing is logged, and the collector leaves what was there before the first seed alone."""

from __future__ import annotations

import gc
import logging
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def cheap_seeds() -> Iterator[None]:
    """Let thousands of short lives cost what they do, and not what the process around them holds."""
    gc.collect()
    gc.freeze()
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)
        gc.unfreeze()
