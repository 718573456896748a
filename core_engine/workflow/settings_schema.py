"""How validated settings are made anew when only the values of expressions in them change.

A `Builder` is derived from pydantic's own description of a model, the settings as written, and one validated example.
It exists only where the rest of the settings says nothing about an expression's value and a look at the value's type
shows that validation would take it as it is. Everything that is not known here has no builder: such settings are
validated as a whole, each time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from itertools import count
from typing import Any

from pydantic import BaseModel

from core_engine.kernel.component import passes_objects
from core_engine.workflow.expressions import Template

Builder = Callable[[list[Any]], Any]
"""Makes a value of the expressions' values, in the order in which they stand in the settings; raises Unfit."""
Schema = Mapping[str, Any]

_SCALARS = frozenset({str, int, float, bool, type(None)})
_SILENT = frozenset({"type", "schema", "metadata", "serialization", "ref"})
_WRAPPERS = _SILENT | {"default", "default_factory", "default_factory_takes_data", "schema_ref"}
_LISTS = _SILENT | {"items_schema", "min_length", "max_length"}
_TEXTS = _SILENT | {"min_length", "max_length"}
_MODELS = _SILENT | {"cls", "custom_init", "root_model", "config", "frozen"}
_MODEL_CONFIGS = frozenset({"title", "extra_fields_behavior", "frozen"})
_FIELDS = _SILENT | {"fields", "model_name", "computed_fields"}


class Unfit(Exception):  # noqa: N818 - not an error: the settings are validated as a whole instead
    """An expression's value is not sure to be taken as it is."""


class _Unknown(Exception):  # noqa: N818 - the same
    """Settings that have no builder."""


def builder_of(model: type[BaseModel], written: Mapping[str, Any], example: BaseModel) -> Builder | None:
    """Return what makes a model like the example, which was made of the written settings; None: nothing can."""
    schema = model.__pydantic_core_schema__
    definitions: dict[str, Schema] = {}
    if schema["type"] == "definitions":
        definitions = {str(item.get("ref")): item for item in schema["definitions"]}
        schema = schema["schema"]
    try:
        return _Reader(definitions).build(schema, written, example)
    except _Unknown:
        return None


def holds_expressions(written: Any) -> bool:
    """Tell whether there is an expression anywhere in compiled settings."""
    if isinstance(written, Mapping):
        return any(map(holds_expressions, written.values()))
    return (
        any(map(holds_expressions, written)) if isinstance(written, list) else isinstance(written, Template)
    )


_FILL, _NAME, *_EMPTY = (
    vars(BaseModel)[slot].__set__
    for slot in ("__dict__", "__pydantic_fields_set__", "__pydantic_extra__", "__pydantic_private__")
)
"""What puts members, names of given ones, and nothing into a model, past what a frozen one forbids."""


class _Fixed:
    """Makes one value that nobody can change."""

    __slots__ = ("_value",)

    def __init__(self, value: Any) -> None:
        self._value = value

    def __call__(self, _found: list[Any]) -> Any:
        return self._value


class _Place:
    """Takes the value of the expression at one place."""

    __slots__ = ("place",)

    def __init__(self, place: int) -> None:
        self.place = place

    def __call__(self, found: list[Any]) -> Any:
        return found[self.place]


class _Reader:
    """Walks schema, settings and example side by side; counts the expressions it comes by."""

    def __init__(self, definitions: Mapping[str, Schema]) -> None:
        self._definitions = definitions
        self._places = count()

    def build(self, schema: Schema, written: Any, example: Any) -> Builder:
        """Return what makes the value that the schema makes of what is written; raises _Unknown."""
        if not holds_expressions(written):
            return constant(example)
        schema, optional = self._opened(schema)
        if isinstance(written, Template):
            return _hole(schema, next(self._places), optional=optional)
        kind, makes = (
            schema["type"],
            {"function-before": self._before, "list": self._list, "model": self._model},
        )
        if kind == "any":
            return self._raw(written)
        if kind not in makes:
            raise _Unknown
        return makes[kind](schema, written, example)

    def _opened(self, schema: Schema) -> tuple[Schema, bool]:
        """Return what a value that is there is judged by, and whether it may be None."""
        optional = False
        while (kind := schema["type"]) in {"definition-ref", "default", "nullable"}:
            _only(schema, _WRAPPERS)
            optional = optional or kind == "nullable"
            schema = self._definitions[schema["schema_ref"]] if kind == "definition-ref" else schema["schema"]
        return schema, optional

    def _before(self, schema: Schema, written: Any, example: Any) -> Builder:
        _only(schema, _SILENT | {"function"})
        if schema["function"]["type"] != "no-info" or not passes_objects(schema["function"]["function"]):
            raise _Unknown
        return self.build(schema["schema"], written, example)

    def _list(self, schema: Schema, written: Any, example: Any) -> Builder:
        _only(schema, _LISTS)
        if not isinstance(written, list) or type(example) is not list or len(example) != len(written):
            raise _Unknown
        each = schema.get("items_schema") or {"type": "any"}
        makers = tuple(self.build(each, item, made) for item, made in zip(written, example, strict=True))
        if len(makers) == 1:
            only = makers[0]
            return lambda found: [only(found)]
        return lambda found: [make(found) for make in makers]

    def _raw(self, written: Any) -> Builder:
        """Make what is not validated: anything, with the expressions in it filled in."""
        if isinstance(written, Template):
            return _Place(next(self._places))
        if isinstance(written, Mapping):
            members = tuple((name, self._raw(item)) for name, item in written.items())
            return lambda found: {name: make(found) for name, make in members}
        if isinstance(written, list):
            makers = tuple(map(self._raw, written))
            return lambda found: [make(found) for make in makers]
        return constant(written)

    def _model(self, schema: Schema, written: Mapping[str, Any], example: Any) -> Builder:
        """Make a model none of whose parts looks at another one."""
        known = _known_fields(schema)
        if type(example) is not schema["cls"]:
            raise _Unknown
        for name, field in known.items():
            _check_field(field, given=name in written)
        made: dict[str, Builder] = {}
        for name, item in written.items():  # in the order in which the expressions are counted
            if name in known:
                made[name] = self.build(known[name]["schema"], item, getattr(example, name))
            elif holds_expressions(item):
                self._raw(item)  # nobody sees it, but it has its places
        for name in known.keys() - made.keys():
            made[name] = constant(getattr(example, name))
        return _maker(example, {name: made[name] for name in known})


def constant(value: Any) -> Builder:
    """Make the same value each time: what can be changed is new each time, as if it had been validated again."""
    if type(value) in _SCALARS or isinstance(value, Enum):
        return _Fixed(value)
    if value == [] and type(value) is list:
        return lambda _found: []
    if type(value) is list:
        makers = tuple(map(constant, value))
        return lambda found: [make(found) for make in makers]
    if type(value) is dict:
        members = tuple((name, constant(item)) for name, item in value.items())
        return lambda found: {name: make(found) for name, make in members}
    if not isinstance(value, BaseModel) or value.__pydantic_private__ or value.__pydantic_extra__:
        raise _Unknown
    return _maker(value, {name: constant(getattr(value, name)) for name in type(value).model_fields})


def _maker(example: BaseModel, makers: Mapping[str, Builder]) -> Builder:
    """Make a model without validation, of a builder for each of its fields."""
    model, named = type(example), example.model_fields_set
    fixed = {name: getattr(example, name) for name in makers}  # keeps the order of the fields
    places = tuple((name, make.place) for name, make in makers.items() if isinstance(make, _Place))
    others = tuple((name, make) for name, make in makers.items() if not isinstance(make, _Fixed | _Place))
    fixed.update((name, None) for name, _ in (*places, *others))
    new, frozen = model.__new__, bool(model.model_config.get("frozen"))
    fill, put_names, (put_extra, put_private) = _FILL, _NAME, _EMPTY

    def make_model(found: list[Any]) -> BaseModel:
        members = fixed.copy()
        for name, place in places:
            members[name] = found[place]
        for name, make in others:
            members[name] = make(found)
        made = new(model)
        fill(made, members)
        put_names(made, named if frozen else named.copy())  # only setting a member adds its name
        put_extra(made, None)
        put_private(made, None)
        return made

    return make_model


def _hole(schema: Schema, place: int, *, optional: bool) -> Builder:
    if schema["type"] == "any":
        return _Place(place)
    if schema["type"] != "str":
        raise _Unknown
    _only(schema, _TEXTS)
    shortest, longest = schema.get("min_length") or 0, schema.get("max_length")

    def text(found: list[Any]) -> Any:
        value = found[place]
        if value is None and optional:
            return None
        fits = (
            type(value) is str and value.isascii() and shortest <= len(value)
        )  # ASCII: no half of a character
        if not fits or (longest is not None and len(value) > longest):
            raise Unfit
        return value

    return text


def _known_fields(schema: Schema) -> Mapping[str, Schema]:
    """Return the fields of a model that does nothing but validate each of them."""
    _only(schema, _MODELS)
    fields, config = schema["schema"], schema.get("config") or {}
    if fields["type"] != "model-fields" or schema.get("custom_init") or schema.get("root_model"):
        raise _Unknown
    _only(fields, _FIELDS)
    _only(config, _MODEL_CONFIGS)
    if config.get("extra_fields_behavior", "ignore") != "ignore" or fields.get("computed_fields"):
        raise _Unknown
    return fields["fields"]  # type: ignore[no-any-return]


def _check_field(field: Schema, *, given: bool) -> None:
    """Refuse a field that has another name outside, or may depend on more than what is written for it."""
    if not field.keys() <= _SILENT | {"frozen", "serialization_alias", "serialization_exclude"}:
        raise _Unknown
    if any(part.get("type") == "with-info" for part in _parts(field)):
        raise _Unknown
    schema = field["schema"]
    if not given and (
        schema["type"] != "default"
        or schema.get("validate_default")
        or schema.get("default_factory", list) not in {list, dict}
    ):
        raise _Unknown


def _parts(schema: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(schema, Mapping):
        yield schema
        for name, part in schema.items():
            if name not in {"metadata", "default"}:
                yield from _parts(part)
    elif isinstance(schema, list | tuple):
        for part in schema:
            yield from _parts(part)


def _only(schema: Schema, known: frozenset[str]) -> None:
    if not schema.keys() <= known:
        raise _Unknown
