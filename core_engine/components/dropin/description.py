"""Reads ``manifest.json`` (protocol §6.3) of a component: data only, bounded, and every problem named."""

from __future__ import annotations

import re
from functools import total_ordering
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError
from typing_extensions import override

from core_engine.components.dropin.problem import UnusableError
from shared.errors import FloworkError
from shared.signing.strict_json import check_depth

MANIFEST = "manifest.json"
MOST_BYTES = 512 * 1024
_MOST_DEPTH = 32
_MOST_SHOWN = 5

ID_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,79}$"
VERSION_PATTERN = r"^[0-9]{1,6}(\.[0-9]{1,6}){0,3}([-+.][0-9A-Za-z]{1,20}){0,4}$"
_DEVICES = re.compile(r"con|prn|aux|nul|com[0-9]|lpt[0-9]", re.IGNORECASE)
_ENTRY = re.compile(r"([A-Za-z0-9_][A-Za-z0-9_./-]*)\.([A-Za-z_][A-Za-z0-9_]*)")

NOT_STEPS = frozenset({"TRIGGER", "AI_PROVIDER", "WIDGET", "FORMATTER", "SCANNER"})
"""Published types that are no steps of a workflow."""

SERVICES = frozenset({"logger", "loc", "kernel", "event_bus"})
"""Services by whose names isolated code gets something that works: lines of the run's log, texts of its locales."""

_Name = Annotated[str, StringConstraints(min_length=1, max_length=80)]
_Text = Annotated[str, StringConstraints(max_length=4000)]


def _no_null(value: Any) -> Any:
    return [] if value is None else value


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="allow")


class PortEntry(_Part):
    """A port."""

    name: _Name
    display_name: _Text = ""
    tooltip: _Text = ""


class FieldEntry(_Part):
    """One member of ``properties`` or ``ui_schema``."""

    id: _Name
    type: str = Field(default="string", max_length=80)
    component: str = Field(default="", max_length=80)
    label: _Text = ""
    description: _Text = ""
    default: Any = None
    required: bool = False
    options: Annotated[list[Any], BeforeValidator(_no_null)] = Field(default_factory=list, max_length=500)


class VariableEntry(_Part):
    """A variable the component needs; it becomes a setting that names it."""

    name: str = Field(pattern=r"^[A-Z0-9_]{1,80}$")
    description: _Text = ""


_Ports = Annotated[list[PortEntry], BeforeValidator(_no_null)]
_Fields = Annotated[list[FieldEntry], BeforeValidator(_no_null)]


class Manifest(BaseModel):
    """The file. ``effect``, ``timeout_seconds``, ``memory_mb`` and ``example`` are ours, all optional."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str = Field(pattern=ID_PATTERN)
    name: str = Field(min_length=1, max_length=200)
    version: str = Field(default="1.0.0", pattern=VERSION_PATTERN)
    author: _Text = "unknown"
    description: _Text = ""
    type: str = Field(default="ACTION", max_length=40)
    category: str = Field(default="Others", max_length=80)
    tier: str = Field(default="free", max_length=40)
    entry_point: str = Field(default="", max_length=300)
    icon_file: str | None = Field(default=None, max_length=200)
    permissions: Annotated[list[str], BeforeValidator(_no_null)] = Field(default_factory=list, max_length=100)
    requires_services: Annotated[list[str], BeforeValidator(_no_null)] = Field(
        default_factory=list, max_length=50
    )
    requires_variables: Annotated[list[VariableEntry], BeforeValidator(_no_null)] = Field(
        default_factory=list, max_length=50
    )
    requires_input: bool = True
    behaviors: Annotated[list[str], BeforeValidator(_no_null)] = Field(
        default_factory=lambda: ["retry"], max_length=50
    )
    input_ports: _Ports = Field(default_factory=list, max_length=50)
    output_ports: _Ports = Field(default_factory=list, max_length=50)
    properties: _Fields = Field(default_factory=list, max_length=300)
    ui_schema: _Fields = Field(default_factory=list, max_length=300)
    effect: Literal["none", "keyed", "once"] = "once"
    timeout_seconds: float = Field(default=60.0, gt=0, le=86_400)
    memory_mb: int = Field(default=256, ge=16, le=1024 * 1024)
    example: dict[str, Any] = Field(default_factory=dict)

    @property
    def entry(self) -> tuple[str, str]:
        """The file, relative to the folder, and the name of the class in it."""
        match = _ENTRY.fullmatch(self.entry_point)
        if match is None:
            raise UnusableError('entry_point must be "<file>.<Class>"')
        file = match[1].removesuffix(".py") + ".py"
        if any(part in {"", ".", ".."} for part in file.split("/")):
            raise UnusableError("entry_point must name a file inside the component's folder")
        return file, match[2]

    @property
    def component_type(self) -> Literal["modules", "plugins"]:
        """The list it stands in."""
        return "plugins" if self.type.upper() in {"PLUGIN", "SERVICE"} else "modules"


@total_ordering
class Release:
    """A version as something that can be ordered: numbers first, a release after its own pre-releases."""

    def __init__(self, text: str) -> None:
        numbers, mark, rest = text.partition("-")
        parts = re.split(r"[.+]", numbers)
        self._key = (
            tuple((1, int(part), "") if part.isdecimal() else (0, 0, part) for part in parts),
            not mark,
            rest,
        )

    @override
    def __eq__(self, other: object) -> bool:
        return isinstance(other, Release) and self._key == other._key

    def __lt__(self, other: Release) -> bool:
        return self._key < other._key

    @override
    def __hash__(self) -> int:
        return hash(self._key)


def read_manifest(file: Path) -> Manifest:
    """Return the manifest of a folder; raises UnusableError."""
    try:
        with file.open("rb") as opened:
            data = opened.read(MOST_BYTES + 1)
    except OSError as error:
        raise UnusableError(f"{MANIFEST} cannot be read: {error.strerror}") from error
    return parse_manifest(data)


def parse_manifest(data: bytes) -> Manifest:
    """Return the manifest in these bytes; raises UnusableError naming the first wrong members."""
    if len(data) > MOST_BYTES:
        raise UnusableError(f"{MANIFEST} is larger than {MOST_BYTES // 1024} KiB")
    try:
        check_depth(data, _MOST_DEPTH)
        raw = msgspec.json.decode(data)
    except (FloworkError, msgspec.DecodeError, UnicodeError) as error:
        raise UnusableError(f"{MANIFEST} is not JSON: {error}") from error
    try:
        manifest = Manifest.model_validate(raw)
    except ValidationError as error:
        items = error.errors(include_url=False, include_input=False)[:_MOST_SHOWN]
        wrong = "; ".join(f"{'.'.join(map(str, item['loc'])) or 'it'}: {item['msg']}" for item in items)
        raise UnusableError(f"{MANIFEST}: {wrong}") from error
    _judge(manifest)
    return manifest


def _judge(manifest: Manifest) -> None:
    if _DEVICES.fullmatch(manifest.id):
        raise UnusableError(f"{manifest.id!r} cannot be an id: some systems use the name for a device")
    if manifest.type.upper() in NOT_STEPS:
        raise UnusableError(f"a component of type {manifest.type} is not a step of a workflow")
    wanted = sorted(set(manifest.requires_services) - SERVICES)
    if wanted:
        raise UnusableError(f"it asks for the service {wanted[0]!r}, which isolated code is not given")
