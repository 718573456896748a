"""The browsable reference at ``/api/docs``, and the two documents it shows; all of it is served from here."""

from __future__ import annotations

import hashlib
from pathlib import Path

from flask import Request, Response

PAGES = Path(__file__).parent.parent / "reference"
# In an installed package the documents stand beside the page, in a checkout in docs/.
DOCUMENTS = (PAGES, Path(__file__).parent.parent.parent / "docs")
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
FILES = {
    "/api/docs": ("index.html", "text/html; charset=utf-8"),
    "/api/docs/": ("index.html", "text/html; charset=utf-8"),
    "/api/docs/reference.js": ("reference.js", "text/javascript; charset=utf-8"),
    "/api/docs/reference.css": ("reference.css", "text/css; charset=utf-8"),
    "/api/v1/openapi.json": ("openapi.json", "application/json"),
    "/api/v1/asyncapi.json": ("asyncapi.json", "application/json"),
}


class Reference:
    """Answers the fixed paths of the reference; each file is read when it is first asked for."""

    def __init__(self) -> None:
        self._read: dict[str, bytes] = {}

    def answer(self, request: Request) -> Response | None:
        """Return a file of the reference, or None for any other path."""
        known = FILES.get(request.path)
        if known is None or request.method not in {"GET", "HEAD"}:
            return None
        content = self._content(known[0])
        if content is None:
            return None
        response = Response(content, content_type=known[1])
        response.headers["Content-Security-Policy"] = POLICY
        response.headers["Cache-Control"] = "no-cache"
        response.set_etag(hashlib.sha256(content).hexdigest()[:32])
        response.make_conditional(request)
        return response

    def _content(self, name: str) -> bytes | None:
        if name not in self._read:
            found = next((folder / name for folder in DOCUMENTS if (folder / name).is_file()), None)
            if found is None:
                return None
            self._read[name] = found.read_bytes()
        return self._read[name]
