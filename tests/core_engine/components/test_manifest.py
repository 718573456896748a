from __future__ import annotations

import json
from typing import Literal

import pytest
from pydantic import Field

from core_engine.components import manifest
from core_engine.components.fields import JsonList, NamedValue, Part, Words, form
from core_engine.components.registry import BUILTIN, ComponentRegistry
from core_engine.kernel.component import Component, Config, Port, StepPolicy
from core_engine.kernel.payload import Result
from core_engine.rest.localization import LANGUAGES, words_of
from shared.contract.component import ComponentsList

TYPES = {
    "string", "integer", "float", "boolean", "textarea", "code", "enum", "list", "folderpath",
    "dynamic_key_value_editor",
}  # fmt: skip


class Item(Part):
    """An item."""

    size: int = 1


class EveryConfig(Config):
    """One member of each kind."""

    text: str = Field(description="A text.")
    count: int = Field(3, title="How many", description="A number.", ge=0)
    share: float = Field(0.5, description="A share.")
    flag: bool = Field(False, description="A flag.")
    choice: Literal["one_way", "other"] = Field("other", description="A choice.")
    maybe: int | None = Field(None, description="A number or nothing.")
    pairs: JsonList[NamedValue] = Field(default_factory=list, description="Pairs.")
    items: JsonList[Item] = Field(default_factory=lambda: [Item()], description="Items.")
    words: Words = Field(default_factory=lambda: ["a", "b"], description="Words.")
    body: str = Field(
        "x",
        description="A long text.",
        json_schema_extra=form(widget="textarea", rows=3, placeholder="Write"),
    )


class Every(Component[EveryConfig]):
    """Has every kind of setting."""

    id = "every"
    name = "Every"
    description = "Has every kind of setting."
    category = "Test"
    inputs = ()
    outputs = (Port("out", "Out", "Everything."),)
    policy = StepPolicy.KEYED
    config_model = EveryConfig

    def execute(self, context, config, payload):
        return Result({"out": payload})


def test_each_kind_of_setting_has_its_form_field() -> None:
    described = manifest.describe(Every(), icon_file=None)
    kinds = {item.id: item.type for item in described.properties}
    assert kinds == {
        "text": "string", "count": "integer", "share": "float", "flag": "boolean", "choice": "enum", "maybe": "integer",
        "pairs": "dynamic_key_value_editor", "items": "code", "words": "string", "body": "textarea",
    }  # fmt: skip
    by_id = {item.id: item for item in described.properties}
    assert by_id["count"].label == "How many"
    assert (by_id["text"].label, by_id["text"].required) == ("Text", True)
    assert [(option.label, option.value) for option in by_id["choice"].options] == [
        ("one way", "one_way"),
        ("other", "other"),
    ]
    assert json.loads(by_id["items"].default) == [{"size": 1}]
    assert by_id["words"].default == "a, b"
    ui = {item["id"]: item for item in described.ui_schema}
    assert ui["body"]["rows"] == 3
    assert ui["body"]["placeholder"] == "Write"
    assert ui["choice"]["component"] == "select"
    assert described.requires_input is False
    assert described.output_ports[0].tooltip == "Everything."
    assert "at least once: after a crash it is run again with the same key" in described.guarantee


ALSO_NEEDED = {
    "move_file": {"target": "b.txt"}, "send_email": {"to": "you@example.com"},
    "sftp": {"password": "p", "host_key": "SHA256:a"},
}  # fmt: skip


# What a form could hold for members whose examples are expressions.
KNOWN = {
    "url": "https://example.com", "path": "a.txt", "pattern": "(?P<a>.)", "template": "x", "query": "a",
    "groupings": [{"name": "all"}], "folder": "a", "archive": "a.zip", "sources": "a.txt", "host": "example.com",
    "username": "me", "sender": "me@example.com", "topic": "a", "topics": "a/#",
    "conditions": [{"operator": "is empty"}], "name": "n", "left": [], "right": [], "left_key": ["id"],
    "rules": {"type": "object"}, "image": "alpine:3", "command": "true", "table": "t",
    "preset_name": "Sales", "event_name": "order.paid",
    "fields": [{"name": "title", "selector": "h1"}],
}  # fmt: skip


def test_the_shown_defaults_are_accepted_back(registry: ComponentRegistry) -> None:
    """A form that is opened and saved untouched must not change what a component does."""
    for info in registry.listing("modules"):
        component = registry.find(info.id)
        assert component is not None
        shown = {item.id: item.default for item in info.manifest.properties if not item.required}
        required = {item.id for item in info.manifest.properties if item.required}
        example = registry.example(info.id) or {}
        shown_by = next(node["config_values"] for node in example["nodes"] if node["module_id"] == info.id)
        known = shown_by | {name: KNOWN[name] for name in required & KNOWN.keys()}
        given = {name: known[name] for name in required} | ALSO_NEEDED.get(info.id, {})
        assert component.parse_config({**shown, **given}) == component.parse_config(given)


def test_every_shipped_manifest_has_what_forms_and_readers_need(registry: ComponentRegistry) -> None:
    infos = registry.listing("modules")
    ComponentsList(component_type="modules", components=infos)
    infos += registry.listing("triggers")
    assert len(infos) == sum((folder / "component.py").is_file() for folder in BUILTIN.iterdir())
    for info in infos:
        shown = info.manifest
        assert shown.guarantee.endswith(".")
        assert shown.config_schema["type"] == "object"
        assert shown.output_ports
        assert len(shown.ui_schema) == len(shown.properties)
        for item in shown.properties:
            assert item.type in TYPES
            assert item.label
            assert item.description.endswith((".", ".", ")"))
        json.dumps(shown.model_dump())


def test_a_guarantee_is_given_for_every_policy() -> None:
    assert set(manifest.GUARANTEES) == set(StepPolicy)
    assert len(set(manifest.GUARANTEES.values())) == len(StepPolicy)


def test_a_component_without_a_name_is_refused() -> None:
    class Nameless(Every):
        """Nameless."""

        name = ""

    with pytest.raises(ValueError, match="no name"):
        manifest.describe(Nameless(), icon_file=None)


def test_every_guarantee_says_that_a_finished_step_is_recorded_once_and_is_worded_in_every_language() -> None:
    assert all(text.startswith("A finished step is recorded once. ") for text in manifest.GUARANTEES.values())
    for policy, text in manifest.GUARANTEES.items():
        assert words_of("en")[f"guarantee.{policy.value}"] == text
        assert len({words_of(language)[f"guarantee.{policy.value}"] for language in LANGUAGES}) == len(
            LANGUAGES
        )
