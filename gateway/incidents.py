"""Unexpected exceptions: logged once, with an id that the caller is given instead of the text."""

from __future__ import annotations

import logging
import secrets

from shared.errors import ErrorCode, FloworkError


def report(logger: logging.Logger, where: str, error: BaseException) -> FloworkError:
    """Log an exception and return what its caller may know of it."""
    incident = secrets.token_hex(6)
    logger.error("unexpected error in %s", where, exc_info=error, extra={"incident": incident})
    return FloworkError(ErrorCode.INTERNAL, "Internal Server Error", details={"incident": incident})
