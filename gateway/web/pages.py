"""The page at ``/`` and its files, read once; every other page address shows the page too.

The page is the web GUI where ``make gui`` has built it, in ``gateway/gui``, else the plain one of ``gateway/static``.
"""

from __future__ import annotations

import hashlib
import mimetypes
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

from flask import Request, Response

STATIC = Path(__file__).parent.parent / "static"
GUI = Path(__file__).parent.parent / "gui"
ASSETS = "/assets/"
INDEX = "/index.html"
VERSION_MARK = b"%FLOWORK_VERSION%"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    # engines are reached on this machine, or anywhere over TLS: their owners choose the address of the tunnel
    "connect-src 'self' ws://127.0.0.1:* ws://localhost:* wss:; "
    "manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@dataclass(frozen=True, slots=True)
class PageFile:
    """A file as it is served."""

    content: bytes
    content_type: str
    etag: str


class Pages:
    """The files of the page by their path; nothing that a client sends becomes a path on disk."""

    def __init__(self, files: dict[str, PageFile]) -> None:
        self._files = files

    @classmethod
    def load(cls, folder: Path) -> Pages:
        """Read the files of a folder."""
        version = metadata.version("flowork").encode()
        found = sorted(path for path in folder.rglob("*") if path.is_file())
        return cls({f"/{path.relative_to(folder).as_posix()}": _file(path, version) for path in found})

    def answer(self, request: Request) -> Response | None:
        """Return the file a browser asks for, the page for any other address of it, or None."""
        if (
            request.method not in {"GET", "HEAD"}
            or request.path == "/api"
            or request.path.startswith("/api/")
        ):
            return None
        wants_page = request.path == "/" or "text/html" in request.headers.get("Accept", "")
        file = self._files.get(request.path) or (self._files.get(INDEX) if wants_page else None)
        if file is None:
            return None
        response = Response(file.content, content_type=file.content_type)
        response.headers["Content-Security-Policy"] = POLICY
        named_by_content = request.path.startswith(ASSETS) and request.path in self._files
        lasting = "public, max-age=31536000, immutable"
        response.headers["Cache-Control"] = lasting if named_by_content else "no-cache"
        response.set_etag(file.etag)
        response.make_conditional(request)
        return response


def page_folder(page: Literal["auto", "plain"], gui: Path = GUI) -> Path:
    """Return the folder of the page to serve; ``auto`` takes the GUI where it was built."""
    return gui if page == "auto" and (gui / INDEX[1:]).is_file() else STATIC


def _file(path: Path, version: bytes) -> PageFile:
    content = path.read_bytes()
    if path.name == INDEX[1:]:
        content = content.replace(VERSION_MARK, version)
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    text = kind.startswith("text/") or kind in {"application/javascript", "image/svg+xml"}
    return PageFile(
        content, f"{kind}; charset=utf-8" if text else kind, hashlib.sha256(content).hexdigest()[:32]
    )
