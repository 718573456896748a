"""The engine's words in several languages, and what is new."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from core_engine.rest.router import answers
from shared.contract.proxied import LOCALIZATION, NEWS
from shared.contract.proxy import NewsItem
from shared.errors import ErrorCode, FloworkError

WORDS = Path(__file__).with_name("words")
NEWS_FILE = WORDS / "news.json"
LANGUAGES = ("de", "en", "es", "id")


class WordResource:
    """Answers public texts; they are the same for everybody."""

    @answers(LOCALIZATION)
    async def localization(self, language: str) -> dict[str, str]:
        """Return a language's words by their keys; a regional form such as en-GB falls back to its language."""
        primary = language.replace("_", "-").split("-", maxsplit=1)[0].lower()
        if primary not in LANGUAGES:
            message = f"There is no dictionary for {language[:20]!r}; there are {', '.join(LANGUAGES)}."
            raise FloworkError(ErrorCode.NOT_FOUND, message, details={"languages": list(LANGUAGES)})
        return words_of(primary)

    @answers(NEWS)
    async def news(self) -> list[NewsItem]:
        """Return what is new, newest first."""
        return [NewsItem(**item) for item in _read(NEWS_FILE)["items"]]


def words_of(language: str) -> dict[str, str]:
    """Return the dictionary of one of `LANGUAGES`."""
    return dict(_read(WORDS / f"{language}.json"))


@cache
def _read(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_bytes()))
