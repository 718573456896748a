"""Which pages of a document are meant: ``1-3, 7, 9-``."""

from __future__ import annotations

from shared.errors import ErrorCode, FloworkError


def choose(text: str, count: int) -> list[int]:
    """Return the places (from 0) of the pages a text names, in its order, each once; all for an empty text.

    Raises FloworkError INVALID_REQUEST for a page the document does not have.
    """
    if not text.strip():
        return list(range(count))
    chosen: dict[int, None] = {}
    for part in text.split(","):
        first, last = _bounds(part.strip(), count)
        if not 1 <= first <= last <= count:
            message = f"There are no pages {part.strip()!r}: the document has {count}."
            raise FloworkError(ErrorCode.INVALID_REQUEST, message)
        chosen.update(dict.fromkeys(range(first - 1, last)))
    return list(chosen)


def _bounds(part: str, count: int) -> tuple[int, int]:
    start, dash, end = part.partition("-")
    try:
        first = int(start) if start.strip() else 1
        if not dash:
            return first, first if part else 0
        return first, int(end) if end.strip() else count
    except ValueError as error:
        raise FloworkError(ErrorCode.INVALID_REQUEST, f"{part!r} names no pages.") from error
