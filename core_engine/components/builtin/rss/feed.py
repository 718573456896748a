"""Turns a feed's bytes into plain items."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import Any

import feedparser

from shared.errors import ErrorCode, FloworkError


def read_feed(content: bytes, headers: dict[str, str], *, limit: int, with_content: bool) -> dict[str, Any]:
    """Return ``title``, ``link``, ``items`` and ``count``; raises FloworkError COMPONENT_FAILED for no feed."""
    feed: Any = feedparser.parse(
        io.BytesIO(content), response_headers=headers, sanitize_html=True, resolve_relative_uris=True
    )
    if not feed.get("version") and not feed.entries:
        raise FloworkError(ErrorCode.COMPONENT_FAILED, "The answer is not an RSS or Atom feed.")
    items = [_item(entry, with_content=with_content) for entry in feed.entries]
    items.sort(key=lambda item: item["published"] or "", reverse=True)
    items = items[:limit]
    return {
        "title": _text(feed.feed.get("title")), "link": _text(feed.feed.get("link")), "items": items,
        "count": len(items),
    }  # fmt: skip


def _item(entry: Any, *, with_content: bool) -> dict[str, Any]:
    item = {
        "id": _text(entry.get("id") or entry.get("link") or entry.get("title")),
        "title": _text(entry.get("title")),
        "link": _text(entry.get("link")),
        "published": _moment(entry),
        "author": _text(entry.get("author")),
        "summary": _text(entry.get("summary")),
        "tags": [_text(tag.get("term")) for tag in entry.get("tags") or []],
    }
    if with_content:
        parts = entry.get("content") or []
        item["content"] = "\n".join(_text(part.get("value")) for part in parts)
    return item


def _moment(entry: Any) -> str | None:
    parsed = entry.get("published_parsed") or entry.get("updated_parsed")
    if parsed is None:
        return None
    try:
        year, month, day, hour, minute, second = parsed[:6]
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC).isoformat()
    except (TypeError, ValueError):
        return None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
