"""PDF documents in memory: opened within limits, read, and put together anew.

Imported only when a document is handled, because the library is large.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from pypdf import PageObject, PdfReader, PdfWriter
from pypdf.errors import PyPdfError

from core_engine.components.builtin.pdf.pages import choose
from shared.errors import ErrorCode, FloworkError

if TYPE_CHECKING:
    from core_engine.components.builtin.pdf.component import PdfConfig

MOST_CHARACTERS = 8 * 1024 * 1024
# damaged documents break the library in ways it does not foresee
_BROKEN = (
    PyPdfError,
    ArithmeticError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
    RecursionError,
    OSError,
)
Got = TypeVar("Got")


def read_text(content: bytes, config: PdfConfig) -> dict[str, Any]:
    """Return ``text`` of all chosen pages, ``pages`` (``number`` and ``text`` each) and ``page_count``."""
    reader, chosen = _opened(content, config)
    texts: list[dict[str, Any]] = []
    size = 0
    for number in chosen:
        text = _safely(lambda page=reader.pages[number]: page.extract_text())  # type: ignore[misc]
        size += len(text)
        if size > MOST_CHARACTERS:
            raise FloworkError(
                ErrorCode.TOO_LARGE, "The document holds more text than is taken; choose fewer pages."
            )
        texts.append({"number": number + 1, "text": text.encode("utf-8", "replace").decode()})
    whole = "\n\n".join(page["text"] for page in texts)
    return {"text": whole, "pages": texts, "page_count": len(reader.pages)}


def read_facts(content: bytes, config: PdfConfig) -> dict[str, Any]:
    """Return ``page_count``, ``encrypted``, ``title``, ``author`` and the first page's size in points."""
    reader, _ = _opened(content, config)

    def look() -> dict[str, Any]:
        known: Mapping[str, Any] = reader.metadata or {}
        box = reader.pages[0].mediabox
        return {
            "page_count": len(reader.pages),
            "encrypted": reader.is_encrypted,
            "title": _plain(known.get("/Title")),
            "author": _plain(known.get("/Author")),
            "width": float(box.width),
            "height": float(box.height),
        }

    return _safely(look)


def rearrange(contents: list[bytes], config: PdfConfig) -> list[tuple[str, bytes]]:
    """Return the files to write, name and content each. Raises TOO_LARGE, INVALID_REQUEST, COMPONENT_FAILED."""
    pages: list[PageObject] = []
    for content in contents:
        reader, chosen = _opened(content, config)
        pages += [reader.pages[number] for number in chosen]
        if len(pages) > config.max_pages:
            raise _too_many(config)
    if config.operation != "split":
        turn = int(config.angle) if config.operation == "rotate" else 0
        return [(config.target, _written(pages, turn))]
    size, stem = config.pages_per_file, config.target[: -len(".pdf")]
    parts = [pages[start : start + size] for start in range(0, len(pages), size)]
    width = len(str(len(parts)))
    return [(f"{stem}-{number:0{width}}.pdf", _written(part, 0)) for number, part in enumerate(parts, 1)]


def _opened(content: bytes, config: PdfConfig) -> tuple[PdfReader, list[int]]:
    """Return a document and the places of its chosen pages."""
    if b"%PDF-" not in content[:1024]:
        raise FloworkError(ErrorCode.UNSUPPORTED_MEDIA, "The file is no PDF document.")
    reader = _safely(lambda: PdfReader(io.BytesIO(content)))
    if reader.is_encrypted and not _safely(lambda: reader.decrypt(config.password)):
        raise FloworkError(ErrorCode.FORBIDDEN, "The document is protected and the password is not right.")
    count = _safely(lambda: len(reader.pages))
    if count == 0:
        raise FloworkError(ErrorCode.COMPONENT_FAILED, "The document has no pages.")
    chosen = choose(config.pages, count)
    if len(chosen) > config.max_pages:
        raise _too_many(config)
    return reader, chosen


def _written(pages: list[PageObject], turn: int) -> bytes:
    def write() -> bytes:
        writer = PdfWriter()
        for page in pages:
            added = writer.add_page(page)
            if turn:
                added.rotate(turn)
        out = io.BytesIO()
        writer.write(out)
        return out.getvalue()

    return _safely(write)


def _safely(work: Callable[[], Got]) -> Got:
    try:
        return work()
    except _BROKEN as error:
        told = str(error)[:500] or type(error).__name__
        raise FloworkError(ErrorCode.COMPONENT_FAILED, f"The document is damaged: {told}.") from error


def _plain(value: Any) -> str | None:
    return None if value is None else str(value)[:1000].encode("utf-8", "replace").decode()


def _too_many(config: PdfConfig) -> FloworkError:
    return FloworkError(
        ErrorCode.TOO_LARGE, f"These are more than {config.max_pages} pages, the most that is taken."
    )
