"""Keeps public answers of engines for a moment, so that a page full of icons asks its engine once."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass

from flask import Response

from shared.clock import Clock

KEEP_SECONDS = 60.0
MOST_ANSWERS = 512
LARGEST = 64 * 1024


@dataclass(frozen=True, slots=True)
class CachedAnswer:
    """A good answer; ``etag`` is empty where the engine gave none."""

    body: bytes
    media: str
    etag: str

    def response(self, if_none_match: str) -> Response:
        """Return it, or 304 for a caller that has this version."""
        known = [part.strip().removeprefix("W/") for part in if_none_match.split(",")]
        same = bool(self.etag) and self.etag in known
        response = Response(b"" if same else self.body, status=304 if same else 200, content_type=self.media)
        if self.etag:
            response.headers["ETag"] = self.etag
        response.headers["Cache-Control"] = f"public, max-age={int(KEEP_SECONDS)}"
        return response


class AnswerCache:
    """The latest answers by key, bounded in number, size and age; safe to use from several threads."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, tuple[float, CachedAnswer]] = OrderedDict()

    def get(self, key: str) -> CachedAnswer | None:
        """Return a fresh answer."""
        with self._lock:
            found = self._kept.get(key)
            if found is None or self._clock.monotonic() - found[0] > KEEP_SECONDS:
                return None
            self._kept.move_to_end(key)
            return found[1]

    def clear(self) -> int:
        """Forget everything; return how many answers there were."""
        with self._lock:
            count = len(self._kept)
            self._kept.clear()
            return count

    def put(self, key: str, answer: CachedAnswer) -> None:
        """Keep an answer that is not too large."""
        if len(answer.body) > LARGEST:
            return
        with self._lock:
            self._kept[key] = (self._clock.monotonic(), answer)
            self._kept.move_to_end(key)
            while len(self._kept) > MOST_ANSWERS:
                self._kept.popitem(last=False)
