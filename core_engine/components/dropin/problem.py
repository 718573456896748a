"""Why a component cannot be used, in words for the person who put it there."""

from __future__ import annotations


class UnusableError(ValueError):
    """A component's folder or package does not hold what it must; the text says what."""
