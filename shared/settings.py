"""Settings as frozen groups: read once from the environment, checked whole, documented by their own fields."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, JsonValue, SecretStr, ValidationError

from shared.errors import ErrorCode, FloworkError


class SettingsGroup(BaseModel):
    """A group of settings that belong together; every field is declared with `setting`."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


@dataclass(frozen=True, slots=True)
class SettingDoc:
    """One setting as the reference pages and ``.env.example`` show it."""

    env: str
    group: str
    description: str
    default: str
    secret: bool
    required: bool


def setting(default: Any, *, env: str, description: str, secret: bool = False, **limits: Any) -> Any:
    """Declare a setting: its default, the environment name it is read from and what it does.

    ``limits`` are pydantic's (``ge``, ``le``, ``pattern`` …). Secrets are declared with type `SecretStr`.
    """
    extra: dict[str, JsonValue] = {"env": env, "secret": secret}
    return Field(default, description=description, json_schema_extra=extra, validate_default=True, **limits)


Settings = TypeVar("Settings", bound=BaseModel)


def load(
    model: type[Settings],
    environ: Mapping[str, str],
    *,
    prefixes: tuple[str, ...],
    foreign: frozenset[str] = frozenset(),
) -> Settings:
    """Build the settings of one process from an environment mapping.

    Every member of ``model`` must be a `SettingsGroup`. A variable that starts with one of the process's own
    ``prefixes`` but that no field knows is refused, naming the nearest known one; ``foreign`` are names that
    belong to another process reading the same file. An empty value counts as absent, as in a compose file.
    Raises `FloworkError` CONFIGURATION that lists every problem at once.
    """
    known = {doc.env for doc in describe(model)} | foreign
    problems = [
        _unknown(name, known) for name in sorted(environ) if name.startswith(prefixes) and name not in known
    ]
    values: dict[str, Any] = {}
    for name, group in _groups(model):
        given = {field: environ[env] for field, env in _env_names(group) if environ.get(env)}
        try:
            values[name] = group(**given)
        except ValidationError as error:
            problems += [
                _invalid(group, item) for item in error.errors(include_url=False, include_input=False)
            ]
    if problems:
        raise FloworkError(ErrorCode.CONFIGURATION, "; ".join(problems), details=problems)
    return model.model_construct(**values)  # each was checked above


def describe(model: type[BaseModel]) -> list[SettingDoc]:
    """List every setting of a process in declaration order."""
    docs = []
    for name, group in _groups(model):
        for field in group.model_fields.values():
            extra = field.json_schema_extra
            if not isinstance(extra, dict) or not field.description:
                raise TypeError(f"{group.__name__}: every setting needs setting(...) with a description")
            secret = bool(extra["secret"])
            default = field.get_default()
            docs.append(
                SettingDoc(
                    env=str(extra["env"]),
                    group=name,
                    description=field.description,
                    default="" if secret or default is None else _text(default),
                    secret=secret,
                    required=field.is_required(),
                )
            )
    return docs


def reveal(secret: SecretStr | None) -> str:
    """Return a secret's text, or an empty string where none is set."""
    return secret.get_secret_value() if secret else ""


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(value) if isinstance(value, tuple) else str(value)


def _groups(model: type[BaseModel]) -> Iterator[tuple[str, type[SettingsGroup]]]:
    for name, field in model.model_fields.items():
        group = field.annotation
        if not (isinstance(group, type) and issubclass(group, SettingsGroup)):
            raise TypeError(f"{model.__name__}.{name} is not a SettingsGroup")
        yield name, group


def _env_names(group: type[SettingsGroup]) -> Iterator[tuple[str, str]]:
    for name, field in group.model_fields.items():
        extra = field.json_schema_extra
        if isinstance(extra, dict):
            yield name, str(extra["env"])


def _unknown(name: str, known: set[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"unknown setting {name}" + (f", did you mean {near[0]}?" if near else "")


def _invalid(group: type[SettingsGroup], item: Any) -> str:
    field = str(item["loc"][0]) if item["loc"] else ""
    env = dict(_env_names(group)).get(field, field)
    return f"{env}: {item['msg']}"
