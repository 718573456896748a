"""The one-time link by which the first identity becomes the owner of a bundled engine."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from shared.errors import ErrorCode, FloworkError


@dataclass(frozen=True, slots=True)
class ClaimLink:
    """``http://host:port/#claim=<code>&engine=<id>``; the code stands in the fragment, which no server sees."""

    gateway_url: str
    code: str
    engine_id: str

    @classmethod
    def parse(cls, text: str) -> ClaimLink:
        """Read a link; raises INVALID_REQUEST when a part is missing."""
        parts = urlsplit(text.strip())
        members = parse_qs(parts.fragment)
        codes, engines = members.get("claim", []), members.get("engine", [])
        if parts.scheme not in {"http", "https"} or not parts.netloc or len(codes) != 1 or len(engines) != 1:
            raise FloworkError(
                ErrorCode.INVALID_REQUEST,
                "This is not a claim link; it looks like http://host:port/#claim=<code>&engine=<id>.",
            )
        return cls(f"{parts.scheme}://{parts.netloc}", codes[0], engines[0])

    @property
    def text(self) -> str:
        """The link as it is shown to the user."""
        return f"{self.gateway_url}/#claim={self.code}&engine={self.engine_id}"
