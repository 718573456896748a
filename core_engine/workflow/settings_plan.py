"""A node's settings with expressions: what of them is worked out for each attempt, and what only once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from core_engine.kernel.component import Component, Config
from core_engine.workflow.expressions import Scope, Template
from core_engine.workflow.queries import QueryError
from core_engine.workflow.settings_schema import Builder, Unfit, builder_of

_WORTH_IT = 2
"""From which validation on the rest is made ready: most workflows of an engine run many times, but some only once."""


class SettingsPlan:
    """Makes a node's settings from its compiled template.

    Everything is validated, except where it is sure that nothing could come of that: where only values of expressions
    differ from what has been validated before, and what takes them takes everything (`settings_schema`).
    ``of_data`` says that all expressions are queries of the data the step is given.
    Used on the event loop's thread only.
    """

    __slots__ = ("_build", "_component", "_renderers", "_searches", "_template", "_validated", "of_data")

    def __init__(self, component: Component[Any], template: Mapping[str, Any]) -> None:
        self._component = component
        self._template = template
        templates = tuple(_templates(template))
        self._renderers = tuple(map(_renderer, templates))
        self._searches = tuple(
            (whole, whole.query.search)
            for written in templates
            if (whole := written.whole) and whole.of_data and whole.query
        )
        self.of_data = len(self._searches) == len(templates)
        self._build: Builder | None = None
        self._validated = 0

    def render(self, scope: Scope) -> list[Any]:
        """Return the value of every expression, in the order in which they are written."""
        return [render(scope) for render in self._renderers]

    def search(self, data: Any) -> list[Any]:
        """Return the same where every expression is a query ``of_data``, which sees nothing else."""
        root, found = {"data": data}, []
        for placeholder, search in self._searches:
            try:
                found.append(search(root))
            except QueryError as error:
                raise placeholder.failure(error) from error
        return found

    def values(self, found: Sequence[Any]) -> dict[str, Any]:
        """Return the settings with these values in place of the expressions."""
        left = iter(found)
        return {name: _filled(item, left) for name, item in self._template.items()}

    def config(self, found: list[Any]) -> Config:
        """Return the settings as the component takes them; raises pydantic's ValidationError."""
        if self._build:
            try:
                return self._build(found)  # type: ignore[no-any-return]
            except Unfit:
                pass
        config: Config = self._component.parse_config(self.values(found))
        self._validated += 1
        if self._validated == _WORTH_IT and type(self._component).parse_config is Component.parse_config:
            self._build = builder_of(self._component.config_model, self._template, config)
        return config


def _templates(written: Any) -> Iterator[Template]:
    if isinstance(written, Template):
        yield written
    elif isinstance(written, dict | list):
        for item in written.values() if isinstance(written, dict) else written:
            yield from _templates(item)


def _renderer(template: Template) -> Callable[[Scope], Any]:
    return template.whole.value if template.whole else template.render


def _filled(written: Any, left: Iterator[Any]) -> Any:
    if isinstance(written, Template):
        return next(left)
    if isinstance(written, dict):
        return {name: _filled(item, left) for name, item in written.items()}
    return [_filled(item, left) for item in written] if isinstance(written, list) else written
