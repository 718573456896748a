"""The garbage collector during a start, and after it."""

from __future__ import annotations

import gc


def pause() -> None:
    """Look for no garbage during a start: nearly all that it makes stays, and is looked through again and again."""
    gc.disable()


def resume() -> None:
    """Collect garbage from now on, but never look again through what is there."""
    gc.freeze()
    gc.enable()
