"""CSS selectors over a parsed page."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from core_engine.components.fields import Part
from shared.errors import ErrorCode, FloworkError

MOST_MATCHES = 100_000


def check_selector(selector: str) -> str:
    """Return a CSS selector (an empty text is none); raises ValueError for a wrong one."""
    if selector:
        from selectolax.lexbor import LexborHTMLParser, SelectolaxError  # noqa: PLC0415 - heavy, only where used

        try:
            LexborHTMLParser("<p></p>").css(selector)
        except SelectolaxError as error:
            raise ValueError(f"{selector!r} is not a CSS selector") from error
    return selector


class Pick(Part):
    """One field: where it is and what is taken of it."""

    name: str = Field(min_length=1, max_length=200)
    selector: str = Field("", max_length=1000)
    take: Literal["text", "html", "attribute", "table", "exists"] = "text"
    attribute: str = Field("", max_length=200)
    many: bool = False

    @field_validator("selector")
    @classmethod
    def _selects(cls, selector: str) -> str:
        return check_selector(selector)

    @model_validator(mode="after")
    def _attribute_given(self) -> Pick:
        if self.take == "attribute" and not self.attribute:
            raise ValueError(f"the field {self.name!r} names no attribute")
        return self

    def find(self, node: Any, *, tidy: bool) -> Any:
        """Return the field's value inside a node."""
        found = _select(node, self.selector) if self.selector else [node]
        if self.take == "exists":
            return bool(found)
        if self.many:
            return [self._value(each, tidy=tidy) for each in found]
        return self._value(found[0], tidy=tidy) if found else None

    def _value(self, node: Any, *, tidy: bool) -> Any:
        if self.take == "attribute":
            return node.attributes.get(self.attribute)
        if self.take == "html":
            return node.html
        return _table(node, tidy=tidy) if self.take == "table" else _text(node, tidy=tidy)


def extract(page: str, rows: str, picks: list[Pick], *, tidy: bool) -> Any:
    """Return an object, or with ``rows`` a list of objects. Raises TOO_LARGE for too many matches."""
    from selectolax.lexbor import LexborHTMLParser  # noqa: PLC0415 - heavy, only where used

    root = LexborHTMLParser(page.encode("utf-8", "replace").decode()).root
    if root is None:
        return [] if rows else {pick.name: [] if pick.many else None for pick in picks}
    if not rows:
        return {pick.name: pick.find(root, tidy=tidy) for pick in picks}
    return [{pick.name: pick.find(row, tidy=tidy) for pick in picks} for row in _select(root, rows)]


def _select(node: Any, selector: str) -> list[Any]:
    found = node.css(selector)
    if len(found) > MOST_MATCHES:
        raise FloworkError(ErrorCode.TOO_LARGE, f"{selector!r} matches more than {MOST_MATCHES} times.")
    return list(found)


def _text(node: Any, *, tidy: bool) -> str:
    text = node.text(deep=True)
    return " ".join(text.split()) if tidy else text


def _table(node: Any, *, tidy: bool) -> list[Any]:
    """Return a table's rows: objects where the first row has heading cells only, else lists of texts."""
    rows = [
        ([_text(cell, tidy=tidy) for cell in cells], all(cell.tag == "th" for cell in cells))
        for row in node.css("tr")
        if (cells := row.css("th, td"))
    ]
    if not rows or not rows[0][1]:
        return [cells for cells, _ in rows]
    names = [name or f"column_{number}" for number, name in enumerate(rows[0][0], start=1)]
    return [{**dict.fromkeys(names), **dict(zip(names, cells, strict=False))} for cells, _ in rows[1:]]
