"""Messages that are too large: read up to a bound, answered with an error, and not the end of their connection."""

from __future__ import annotations

import re
from dataclasses import dataclass

READ_FACTOR = 4
"""A message may be so many times too large and is still read, to be answered; a larger one ends its connection."""
MAX_TOLERATED = 5
"""So many a connection may send before it is closed."""
_EVENT = re.compile(r"2(?P<namespace>/[^,\[]{1,40}),(?P<id>[0-9]{0,10})\[")


@dataclass(frozen=True, slots=True)
class Oversized:
    """Which event was too large, as far as its first letters tell; ``packet_id`` is None where no answer is awaited."""

    namespace: str
    packet_id: int | None


def read_limit(max_bytes: int) -> int:
    """Return how many bytes of a message are read from the wire."""
    return READ_FACTOR * max_bytes


def is_too_large(data: str, max_bytes: int) -> bool:
    """Tell whether a text has more bytes than allowed, without counting them where that is clear."""
    if len(data) > max_bytes:
        return True
    return 4 * len(data) > max_bytes and len(data.encode(errors="replace")) > max_bytes


def read_event(data: str) -> Oversized | None:
    """Return what the packet of an event is an answer to, None for any other packet."""
    found = _EVENT.match(data)
    if found is None:
        return None
    return Oversized(found["namespace"], int(found["id"]) if found["id"] else None)
