"""The garbage collector during a start, and after it."""

from __future__ import annotations

import gc

_NEW_OBJECTS = 10_000
"""Python's own 700 come together within one command, and are nearly all in use then."""


def pause() -> None:
    """Look for no garbage during a start: nearly all that it makes stays, and is looked through again and again."""
    gc.disable()


def resume() -> None:
    """Collect garbage from now on, seldom, and never look again through what is there."""
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS)
    gc.enable()
