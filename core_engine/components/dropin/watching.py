"""Keeps the shelf up to date with its folder, without a restart."""

from __future__ import annotations

import asyncio
import logging

from core_engine.components.dropin.shelf import Shelf

_DEBOUNCE_MS = 400
_STEP_MS = 50
_RUST_MS = 500
_AFTER_FAILURE_SECONDS = 10.0

_log = logging.getLogger(__name__)


async def keep_fresh(shelf: Shelf) -> None:
    """Read the components folder again after each change in it, once it has been quiet for a moment; never ends.

    Where the system cannot watch the folder, it is read again every ten seconds.
    """
    from watchfiles import awatch  # noqa: PLC0415 - loads a native library; only a running engine needs it

    while True:
        try:
            await asyncio.to_thread(shelf.folder.mkdir, parents=True, exist_ok=True)
            stale = True  # what came before the watch began is taken in at its first sign of life
            async for changes in awatch(
                shelf.folder,
                debounce=_DEBOUNCE_MS,
                step=_STEP_MS,
                rust_timeout=_RUST_MS,
                yield_on_timeout=True,
            ):
                if changes or stale:
                    await asyncio.to_thread(shelf.rescan)
                stale = False
        except (OSError, RuntimeError) as error:
            _log.warning("the components folder cannot be watched", extra={"reason": str(error)[:300]})
        await asyncio.sleep(_AFTER_FAILURE_SECONDS)
