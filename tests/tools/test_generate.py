"""Derived files are fresh, and what they hold is sound."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from openapi_spec_validator import validate

from shared.contract import catalog
from tools.generate import __main__ as generate
from tools.generate import asyncapi, compatibility_page, openapi

DERIVED = generate.derived()


@pytest.mark.parametrize("path", sorted(DERIVED), ids=lambda path: path.name)
def test_derived_file_is_fresh(path: Any) -> None:
    assert path.read_text() == DERIVED[path], "run `make generate`"


def test_openapi_document_is_valid() -> None:
    document = openapi.document()
    validate(document)
    ids = {item["operationId"] for path in document["paths"].values() for item in path.values()}
    assert ids == set(catalog.operations())


@pytest.mark.parametrize("document", [openapi.document(), asyncapi.document()], ids=["openapi", "asyncapi"])
def test_every_reference_resolves(document: dict[str, Any]) -> None:
    references = set(_references(document))
    assert references
    for reference in references:
        place: Any = document
        for part in reference.removeprefix("#/").split("/"):
            place = place[part]


def test_asyncapi_declares_every_command_with_its_reply() -> None:
    document = asyncapi.document()
    for name in catalog.commands():
        assert document["operations"][name]["reply"]["messages"]


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            if key == "$ref":
                yield item
            else:
                yield from _references(item)
    elif isinstance(value, list):
        for item in value:
            yield from _references(item)


def test_generated_json_is_stable() -> None:
    assert json.loads(openapi.make()) == json.loads(openapi.make())


def test_every_message_and_field_is_tried_somewhere() -> None:
    models = [*catalog.commands().values(), *catalog.events().values()]
    untried = [model.name for model in models if not compatibility_page.where_tried(model)]
    untried += [
        f"{model.name}.{field}"
        for model, field in compatibility_page.fields()
        if not compatibility_page.where_tried(model, field)
    ]
    assert untried == []


def test_everything_that_is_documented_is_in_the_contract() -> None:
    head, _, missing = compatibility_page.make().partition("Not there at all:")
    assert "## Fields" in head
    assert [line for line in missing.splitlines() if line.startswith("- `")] == []
