"""Settings made anew for each attempt are those that a whole validation gives, whatever the expressions come to."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import (
    AfterValidator,
    BaseModel,
    Field,
    PrivateAttr,
    ValidationError,
    field_validator,
    model_validator,
)

from core_engine.components.builtin.set_fields.component import SetFields
from core_engine.components.fields import JsonList, NamedValue, Words
from core_engine.kernel.component import Component, Config
from core_engine.kernel.payload import Payload
from core_engine.workflow.expressions import NoVariables, Scope, compile_value
from core_engine.workflow.settings_plan import SettingsPlan

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=6)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
)


class Colour(StrEnum):
    RED = "red"


class Inner(BaseModel):
    a: str = "x"
    b: Any = None
    many: list[str] = Field(default_factory=list)


class Wide(Config):
    """A bit of everything that settings have."""

    text: str = "t"
    short: str = Field("ab", min_length=1, max_length=4)
    number: int = 1
    optional: str | None = None
    anything: Any = None
    words: Words = Field(default_factory=list)
    rows: JsonList[NamedValue] = Field(default_factory=list, max_length=3)
    inner: Inner = Field(default_factory=Inner)
    table: dict[str, Any] = Field(default_factory=dict)
    colour: Colour = Colour.RED
    listed: list[Any] = Field(default_factory=list)
    grown: Annotated[str, AfterValidator(lambda text: text + "!")] = "g"


def component_of(model: type[Config]) -> Component[Any]:
    class Settled(Component[Any]):
        id = name = description = category = "settled"
        config_model: ClassVar[type[Config]] = model

        def execute(self, context, config, payload):
            raise AssertionError

    return Settled()


def plan_of(component: Component[Any], written: dict[str, Any]) -> SettingsPlan:
    return SettingsPlan(component, compile_value(written)[0])


def outcome(make: Any) -> Any:
    """Return settings with their types and which of them were given, or what is wrong with them."""
    try:
        made = make()
    except ValidationError as error:
        return error.errors(include_url=False, include_input=False, include_context=False)
    return type(made), made.model_fields_set, typed(made)


def typed(value: Any) -> Any:
    if isinstance(value, BaseModel):
        private, extra = value.__pydantic_private__, value.__pydantic_extra__
        members = [(name, typed(item)) for name, item in vars(value).items()]
        return type(value), members, value.model_fields_set, private, extra
    if isinstance(value, dict):
        return [(name, typed(item)) for name, item in value.items()]
    return [typed(item) for item in value] if isinstance(value, list) else (type(value), repr(value))


WIDE = [
    {"text": "{{ data }}"},
    {"short": "{{ data }}"},
    {"optional": "{{ data }}"},
    {"anything": "{{ data }}", "text": "known"},
    {"anything": {"deep": ["{{ data }}", 1, {"x": "{{ data }}!"}]}},
    {"words": ["a", "{{ data }}"]},
    {"words": "{{ data }}"},
    {"rows": [{"name": "n", "value": "{{ data }}"}]},
    {"rows": [{"name": "n", "value": "{{ data }}"}, {"name": "m", "value": [1, {"k": []}], "type": "json"}]},
    {"rows": [{"name": "{{ data }}", "value": 1}]},
    {"rows": [{"name": "n", "value": "{{ data }}", "ignored": "{{ data }}"}], "unknown": ["{{ data }}"]},
    {"rows": "{{ data }}"},
    {"rows": '[{"name": "n", "value": {{ data }}}]'},
    {"rows": [{"name": "", "value": "{{ data }}"}]},
    {"rows": [{"name": "n", "value": "{{ data }}"}] * 4},
    {"inner": {"a": "{{ data }}", "many": ["x", "{{ data }}"]}},
    {"inner": {"b": "{{ data }}", "many": ["x"]}, "table": {"k": ["v"]}},
    {"table": {"k": "{{ data }}"}},
    {"table": "{{ data }}"},
    {"number": "{{ data }}"},
    {"number": "7", "text": "{{ data }}"},
    {"number": "seven", "text": "{{ data }}"},
    {"colour": "{{ data }}"},
    {"colour": "red", "listed": ["{{ data }}", [], {}]},
    {"grown": "{{ data }}"},
    {"grown": "now", "text": "{{ data }}"},
    {"text": "a {{ data }} b"},
    {"words": "a, b", "anything": "{{ data }}"},
]


@settings(max_examples=8, deadline=None)
@given(st.lists(VALUES, min_size=4, max_size=6))
@pytest.mark.parametrize("written", WIDE, ids=str)
def test_settings_are_those_of_a_whole_validation(written: dict[str, Any], values: list[Any]) -> None:
    component = component_of(Wide)
    plan = plan_of(component, written)
    for value in ["a", "b", *values, "é", "\ud800", "abcdef", ""]:
        scope = Scope(Payload(value), dict, dict, NoVariables(), "0xa")
        found = plan.render(scope)
        expected = outcome(lambda: component.parse_config(plan.values(found)))  # noqa: B023 - called at once
        assert outcome(lambda: plan.config(found)) == expected  # noqa: B023


QUICK = [
    {"fields": [{"name": "n", "value": "{{ data }}"}]},
    {"fields": [{"name": "n", "value": "{{ data }}", "type": "text"}, {"name": "m", "value": {"a": []}}],
     "remove": "x, y"},
    {"fields": [{"name": "a.b", "value": ["{{ data }}", "{{ data }}"]}], "keep_input": "no", "remove": ["x"]},
]  # fmt: skip


def made_ready(component: Component[Any], written: dict[str, Any]) -> SettingsPlan:
    plan = plan_of(component, written)
    for _ in range(2):
        plan.config(["x"] * len(plan.render(Scope(Payload("x"), dict, dict, NoVariables(), "0xa"))))
    return plan


class Counting(SetFields):
    """Counts how often settings are validated as a whole."""

    class Model(SetFields.config_model):
        validated: ClassVar[int] = 0

        @classmethod
        def model_validate(cls, *args: Any, **more: Any) -> Any:
            cls.validated += 1
            return super().model_validate(*args, **more)

    config_model = Model


@pytest.mark.parametrize("written", QUICK, ids=str)
def test_what_nothing_can_come_of_is_not_validated_again(written: dict[str, Any]) -> None:
    Counting.Model.validated = 0
    plan = made_ready(Counting(), written)
    assert Counting.Model.validated == 2
    for value in (1, None, {"k": [1]}, "text"):
        found = [value] * 2
        made = plan.config(found)
        assert Counting.Model.validated == 2
        assert typed(made) == typed(Counting.Model.__pydantic_validator__.validate_python(plan.values(found)))


def test_no_two_attempts_share_what_can_be_changed() -> None:
    plan = made_ready(component_of(Wide), {"anything": ["{{ data }}"], "table": {"k": ["v"]}, "words": "a,b"})
    first, second = plan.config([1]), plan.config([1])
    first.table["k"].append("w")
    first.words.clear()
    first.anything.append(2)
    first.model_fields_set.clear()
    assert second.table == {"k": ["v"]}
    assert plan.config([1]).words == ["a", "b"]
    assert second.anything == [1]
    assert second.model_fields_set == {"anything", "table", "words"}


class Whole(Config):
    low: Any = 0
    high: Any = 1

    @model_validator(mode="after")
    def _ordered(self) -> Whole:
        if str(self.low) > str(self.high):
            raise ValueError("low is higher than high")
        return self


class Looking(Config):
    low: Any = 0
    high: Any = 1

    @field_validator("high")
    @classmethod
    def _ordered(cls, value: Any, info: Any) -> Any:
        if str(info.data.get("low")) > str(value):
            raise ValueError("low is higher than high")
        return value


class Trimmed(Config):
    model_config: ClassVar[Any] = {"str_strip_whitespace": True, "str_max_length": 3}
    text: str = ""


class Renamed(Config):
    text: str = Field("", validation_alias="words")


class Strict(Config):
    model_config: ClassVar[Any] = {"extra": "forbid"}
    text: Any = ""


class Private(Config):
    text: Any = ""
    _seen: list[str] = PrivateAttr(default_factory=list)


class Patterned(Config):
    text: str = Field("a", pattern="^a+$")


class Counted(Config):
    text: Any = ""
    number: list[int] = Field(default_factory=lambda: [len(str(id(object())))] * 2)


class Own(Config):
    text: Any = ""

    def __init__(self, **given: Any) -> None:
        super().__init__(**{name: str(value).upper() for name, value in given.items()})


@pytest.mark.parametrize(
    ("model", "written"),
    [
        (Whole, {"low": "{{ data }}", "high": "m"}),
        (Looking, {"low": "{{ data }}", "high": "m"}),
        (Looking, {"low": "m", "high": "{{ data }}"}),
        (Trimmed, {"text": "{{ data }}"}),
        (Renamed, {"words": "{{ data }}"}),
        (Renamed, {"text": "{{ data }}"}),
        (Strict, {"text": "{{ data }}", "more": 1}),
        (Strict, {"text": "{{ data }}"}),
        (Private, {"text": "{{ data }}"}),
        (Patterned, {"text": "{{ data }}"}),
        (Counted, {"text": "{{ data }}"}),
        (Own, {"text": "{{ data }}"}),
    ],
    ids=lambda given: given.__name__ if isinstance(given, type) else str(given),
)
def test_what_looks_at_more_than_one_value_is_asked_each_time(
    model: type[Config], written: dict[str, Any]
) -> None:
    component = component_of(model)
    plan = plan_of(component, written)
    for value in ["a", "b", "c", "z", " a ", "abcd", 7, None, "aa"]:
        expected = outcome(lambda: component.parse_config(plan.values([value])))  # noqa: B023 - called at once
        assert outcome(lambda: plan.config([value])) == expected  # noqa: B023


def test_a_component_that_reads_its_settings_itself_goes_on_doing_so() -> None:
    class Reading(SetFields):
        def parse_config(self, values):
            return super().parse_config({"fields": [{"name": "own", "value": str(values)}]})

    plan = made_ready(Reading(), QUICK[0])
    assert plan.config([5]).fields[0].name == "own"
