"""JSON Schemas of contract models, gathered under one `components/schemas` tree."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter

REF = "#/components/schemas/{model}"


class Schemas:
    """Collects the schemas of models and hands out references to them."""

    def __init__(self) -> None:
        self.definitions: dict[str, Any] = {}

    def of(self, model: Any, *, incoming: bool = False) -> dict[str, Any]:
        """Return the schema of a type; the definitions it refers to are collected."""
        adapter = TypeAdapter(model)
        schema = adapter.json_schema(ref_template=REF, mode="validation" if incoming else "serialization")
        self.definitions |= schema.pop("$defs", {})
        title = schema.get("title")
        if schema.get("type") == "object" and isinstance(title, str) and title.isidentifier():
            self.definitions[title] = schema
            return {"$ref": REF.format(model=title)}
        return schema

    def sorted(self) -> dict[str, Any]:
        """Return the collected definitions by name."""
        return dict(sorted(self.definitions.items()))
