"""Which host keys are taken: one that was given, or what a server showed the first time."""

from __future__ import annotations

import hmac
from typing import Self

import asyncssh

from core_engine.components.drafts import Draft
from core_engine.components.files import open_regular
from core_engine.kernel.context import Files
from shared.errors import ErrorCode, FloworkError

_MOST_BYTES = 1024 * 1024


class KnownKeys:
    """The keys that one server may show."""

    def __init__(self, expected: asyncssh.SSHKey | str | None = None) -> None:
        self._expected = expected
        self._files: Files | None = None
        self._name = self._path = self._text = self._step = ""

    @classmethod
    def of(cls, expected: asyncssh.SSHKey | str) -> Self:
        """Take one key, or the one with a fingerprint."""
        return cls(expected)

    @classmethod
    def read(cls, files: Files, path: str, host: str, port: int, step: str) -> Self:
        """Take the key noted in a file, or any when there is none. Blocks; raises FloworkError as `Files` does."""
        text = ""
        try:
            with open_regular(files.readable(path)) as file:
                text = file.read(_MOST_BYTES).decode("utf-8", "replace")
        except FloworkError as error:
            if error.code is not ErrorCode.NOT_FOUND:
                raise
        name = f"[{host.lower()}]:{port}"
        noted = [line[len(name) :] for line in text.splitlines() if line.startswith(f"{name} ")]
        keys = cls(parse_host_key(noted[0]) if noted else None)
        keys._files, keys._path, keys._name, keys._text, keys._step = files, path, name, text, step
        return keys

    @property
    def exact(self) -> list[asyncssh.SSHKey]:
        """The key itself, when more than its fingerprint is known; it decides which kind the server is asked for."""
        return [self._expected] if isinstance(self._expected, asyncssh.SSHKey) else []

    def accepts(self, key: asyncssh.SSHKey) -> bool:
        """Tell whether a key that is not `exact` is taken."""
        if isinstance(self._expected, str):
            return hmac.compare_digest(key.get_fingerprint("sha256").encode(), self._expected.encode())
        return self._expected is None

    def note(self, key: asyncssh.SSHKey) -> None:
        """Write down the key of a first time. Blocks; raises FloworkError FORBIDDEN."""
        if self._files is None or self._expected is not None:
            return
        shown = key.export_public_key("openssh").decode().strip()
        before = self._text if not self._text or self._text.endswith("\n") else f"{self._text}\n"
        with Draft(self._files.writable(self._path), self._step) as draft:
            draft.write(f"{before}{self._name} {shown}\n".encode())
            draft.commit(overwrite=True)


def parse_host_key(text: str) -> asyncssh.SSHKey | str:
    """Return a key, or a fingerprint as it is; raises FloworkError INVALID_REQUEST.

    The line of ssh-keyscan begins with the host's name, which is left out.
    """
    words = text.split()
    if len(words) == 1 and words[0].startswith("SHA256:"):
        return words[0].rstrip("=")
    start = next((place for place, word in enumerate(words) if word.startswith(("ssh-", "ecdsa-", "sk-"))), 0)
    try:
        return asyncssh.import_public_key(" ".join(words[start : start + 2]))
    except (asyncssh.KeyImportError, ValueError):
        raise FloworkError(
            ErrorCode.INVALID_REQUEST, "The host key is neither a public key nor a fingerprint (SHA256:…)."
        ) from None
