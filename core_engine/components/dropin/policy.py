"""Which components may be installed over the sockets, as the engine's owner has decided."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from core_engine.components.dropin.folder import SIGNATURE
from shared.errors import FloworkError
from shared.ids import same_address
from shared.signing.components import component_author
from shared.signing.strict_json import check_depth

_MOST_BYTES = 4096
_MOST_DEPTH = 4


@dataclass(frozen=True, slots=True)
class InstallPolicy:
    """The setting, the trusted addresses and hashes, and who the engine's owner is at the moment."""

    rule: Literal["any", "signed", "listed"]
    trusted: frozenset[str]
    owner: Callable[[], str | None]

    @classmethod
    def of(
        cls, rule: Literal["any", "signed", "listed"], trusted: str, owner: Callable[[], str | None]
    ) -> InstallPolicy:
        """Read the comma-separated list of the settings."""
        return cls(
            rule, frozenset(part.strip().lower() for part in trusted.split(",") if part.strip()), owner
        )

    def refusal(self, folder_hash: str, author: str | None) -> str | None:
        """Return why a component may not be installed, None when it may; ``author`` has signed just this."""
        if self.rule == "any" or folder_hash in self.trusted:
            return None
        if self.rule == "listed":
            return f"This engine installs listed components only, and {folder_hash} is not in ENGINE_COMPONENT_TRUSTED."
        if author is None:
            return "This engine installs signed components only, and this one has no signature."
        owner = self.owner()
        if author.lower() in self.trusted or (owner and same_address(owner, author)):
            return None
        return f"It is signed by {author}, who is neither the engine's owner nor in ENGINE_COMPONENT_TRUSTED."


def read_author(folder: Path, component_id: str, version: str, folder_hash: str) -> str | None:
    """Return who signed a component's files, None where nobody did; raises BAD_SIGNATURE. Blocks for the disk."""
    file = folder / SIGNATURE
    if not file.is_file() or file.is_symlink():
        return None
    with file.open("rb") as opened:
        data = opened.read(_MOST_BYTES)
    try:
        check_depth(data, _MOST_DEPTH)
        signed = msgspec.json.decode(data)
    except (FloworkError, msgspec.DecodeError, UnicodeError):
        signed = None
    return component_author(signed, component_id, version, folder_hash)
