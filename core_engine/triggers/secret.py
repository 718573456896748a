"""The secrets of webhook rules: sealed where they are written out, or a secret variable's."""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, Protocol

from core_engine.triggers.rules import Rule
from core_engine.workflow import Variables
from shared.errors import ErrorCode, FloworkError

_VARIABLE = re.compile(r"\{\{\s*vars\.([A-Za-z_][A-Za-z0-9_.-]*)\s*\}\}")
_SEALED = "sealed_secret"


class Cipher(Protocol):
    """Encrypts values; see `core_engine.variables.ValueCipher`."""

    def seal(self, value: Any, owner: str, name: str) -> str:
        """Return the value encrypted."""
        ...

    def open(self, sealed: str, owner: str, name: str) -> Any:
        """Return the value; raises JOURNAL_CORRUPT."""
        ...


class Keeper(Variables, Protocol):
    """The variables, and what else must not be shown."""

    def hide_also(self, texts: Iterable[str]) -> None:
        """Take the texts that are no variable's, in place of those given before."""
        ...


class RuleSecrets:
    """Puts secrets into rules and takes them out; `hidden` shows the settings without.

    What is written out in a rule is masked wherever a secret variable's value is.
    """

    def __init__(self, cipher: Cipher, variables: Keeper) -> None:
        self._cipher = cipher
        self._variables = variables
        self._masked: dict[str, str] = {}

    def mask(self, rules: Iterable[Rule], gone: Iterable[str] = ()) -> None:
        """Have the secrets of these rules masked from here on, and no longer those of the rules that are gone."""
        before = dict(self._masked)
        for rule_id in gone:
            self._masked.pop(rule_id, None)
        for rule in rules:
            self._masked.pop(rule.id, None)
            if sealed := rule.config.get(_SEALED):
                with suppress(FloworkError):  # it cannot be opened, so it can be nowhere
                    self._masked[rule.id] = str(self._cipher.open(sealed, "trigger", rule.id))
        if self._masked != before:
            self._variables.hide_also(self._masked.values())

    def sealed(self, rule_id: str, config: dict[str, Any], present: Rule | None = None) -> dict[str, Any]:
        """Return settings to be stored: a secret that is no variable's name is encrypted.

        Without a secret the one of the present rule stays.
        """
        rest = {name: value for name, value in config.items() if name not in {"secret", _SEALED}}
        given = config.get("secret")
        if isinstance(given, str) and given:
            if _VARIABLE.fullmatch(given.strip()):
                return rest | {"secret": given.strip()}
            return rest | {_SEALED: self._cipher.seal(given, "trigger", rule_id)}
        kept = {} if present is None else present.config
        return rest | {name: kept[name] for name in ("secret", _SEALED) if name in kept}

    def resealed(self, wanted: Rule, present: Rule) -> dict[str, Any]:
        """Return a node's settings to be stored; the same secret stays sealed as it is."""
        given, kept = wanted.config.get("secret"), present.config.get(_SEALED)
        with suppress(FloworkError):
            if kept and given == self._cipher.open(kept, "trigger", present.id):
                return {name: value for name, value in wanted.config.items() if name != "secret"} | {
                    _SEALED: kept
                }
        return self.sealed(wanted.id, wanted.config)

    def hidden(self, rule: Rule) -> tuple[dict[str, Any], bool]:
        """Return a rule's settings as they may be shown, and whether it has a secret."""
        shown = {name: value for name, value in rule.config.items() if name != _SEALED}
        return shown, "secret" in rule.config or _SEALED in rule.config

    def reveal(self, rule: Rule) -> bytes:
        """Return a rule's secret, empty where it has none; raises JOURNAL_CORRUPT or NOT_FOUND for an unusable one."""
        if sealed := rule.config.get(_SEALED):
            return str(self._cipher.open(sealed, "trigger", rule.id)).encode()
        named = _VARIABLE.fullmatch(str(rule.config.get("secret", "")))
        if named is None:
            return b""
        variable = self._variables.get(named[1], rule.owner)
        if variable is None:
            raise FloworkError(ErrorCode.NOT_FOUND, f"There is no variable {named[1]}.")
        return variable.value.encode() if isinstance(variable.value, str) else b""
