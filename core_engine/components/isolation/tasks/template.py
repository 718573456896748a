"""Renders a Jinja2 template."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError
from jinja2.sandbox import ImmutableSandboxedEnvironment

_MARKDOWN_ESCAPES = {ord(sign): f"\\{sign}" for sign in "\\`*_[]<>|#"} | {
    ord("\n"): " ", ord("\r"): " ",
}  # fmt: skip


_WARM_UP = (
    r"{{ ['\u00e9', 1.5] | tojson | e }}{{ 'a' | upper }}{% for x in [1] %}{{ loop.index }}{% endfor %}"
    "{{ 'a' | pprint }}{{ 'a' | striptags }}{{ 'a' | wordwrap }}{{ lipsum(1) }}"
)


def prepare() -> None:
    """Have everything loaded that Jinja2 loads late; once the process is locked, a file may be out of reach."""
    environment = ImmutableSandboxedEnvironment()
    environment.from_string(_WARM_UP).render()
    for broken in ("{{ 1 / 0 }}", "{{"):
        with suppress(ArithmeticError, TemplateError):
            environment.from_string(broken).render()


def run(request: dict[str, Any], log: Callable[..., None]) -> str:  # noqa: ARG001 - the shape of every task
    """Return the text of ``template`` with the members of ``values`` in sight; unknown names are an error."""
    environment = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )  # texts and Markdown are written here, not HTML, so nothing is escaped unless asked for
    environment.filters |= {"markdown": escape_markdown, "thousands": group_thousands}
    return environment.from_string(request["template"]).render(request["values"])


def explain(error: BaseException) -> str:
    """Return what is wrong with the template, with the line where Jinja2 knows it."""
    if isinstance(error, TemplateSyntaxError):
        return f"line {error.lineno} of the template: {error.message}"
    if isinstance(error, TemplateError):
        return f"the template: {error.message}"
    return f"the template: {type(error).__name__}: {error}"


def escape_markdown(value: Any) -> str:
    """Write a value so that Markdown shows it as it is, also inside a table."""
    text = "".join(sign if sign.isprintable() or sign in "\r\n" else "�" for sign in str(value))
    return text.translate(_MARKDOWN_ESCAPES)


def group_thousands(value: Any) -> str:
    """Write a number with commas between thousands; anything else stays as it is."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"{value:,}"
    return str(value)
