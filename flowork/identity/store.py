"""Keeps wallet keys as encrypted keystore files (version 3, scrypt) that other wallets can read too."""

from __future__ import annotations

import json
import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

from shared.errors import ErrorCode, FloworkError
from shared.ids import is_address
from shared.signing.keys import WalletKey, checksum_address

MIN_PASSPHRASE = 8
WORK_FACTOR = 2**18  # scrypt: about a second and 256 MiB for each guess
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")


@dataclass(frozen=True, slots=True)
class StoredIdentity:
    """A key file: its name, and the address it says it holds."""

    name: str
    address: str
    path: Path


class IdentityStore:
    """The folder of key files; made on first use, readable by its owner only."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def listing(self) -> list[StoredIdentity]:
        """Return the identities by name; a file that is no key file is left out."""
        found = []
        for path in sorted(self._folder.glob("*.json")):
            address = _address_in(path)
            if _NAME.fullmatch(path.stem) and address:
                found.append(StoredIdentity(path.stem, address, path))
        return found

    def find(self, name: str) -> StoredIdentity:
        """Return the identity of that name; raises NOT_FOUND."""
        for item in self.listing():
            if item.name == name:
                return item
        raise FloworkError(
            ErrorCode.NOT_FOUND, f"There is no identity {name!r}; `flowork identity list` shows yours."
        )

    def require_free(self, name: str) -> Path:
        """Return the path for a new identity of that name; raises CONFLICT or INVALID_REQUEST."""
        if not _NAME.fullmatch(name):
            raise FloworkError(
                ErrorCode.INVALID_REQUEST, "An identity's name has letters, digits, _ and -, at most 40."
            )
        path = self._folder / f"{name}.json"
        if path.exists():
            raise _taken(name)
        return path

    def save(self, name: str, key: WalletKey, passphrase: str) -> StoredIdentity:
        """Encrypt a key into a new file; raises CONFLICT rather than replace one, INVALID_REQUEST."""
        path = self.require_free(name)
        if len(passphrase) < MIN_PASSPHRASE:
            raise FloworkError(
                ErrorCode.INVALID_REQUEST, f"A passphrase has at least {MIN_PASSPHRASE} characters."
            )
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _write_new(path, json.dumps(_encrypt(key, passphrase), indent=1) + "\n", name)
        return StoredIdentity(name, key.address, path)

    def unlock(self, identity: StoredIdentity, passphrase: str) -> WalletKey:
        """Decrypt a key; raises UNAUTHENTICATED for a wrong passphrase or a damaged file."""
        from eth_keyfile.keyfile import decode_keyfile_json  # noqa: PLC0415 - takes a second to load

        try:
            raw = json.loads(identity.path.read_text("utf-8"))
            secret = decode_keyfile_json(raw, passphrase.encode())
        except (ValueError, KeyError, TypeError, NotImplementedError) as error:
            raise FloworkError(
                ErrorCode.UNAUTHENTICATED,
                f"Identity {identity.name!r} does not open with this passphrase (or its file is damaged).",
            ) from error
        return WalletKey(bytes(secret))

    def remove(self, identity: StoredIdentity) -> None:
        """Delete an identity's file for good."""
        identity.path.unlink()


def _encrypt(key: WalletKey, passphrase: str) -> dict[str, object]:
    from eth_keyfile.keyfile import create_keyfile_json  # noqa: PLC0415 - takes a second to load

    secret = bytes.fromhex(key.private_key_hex()[2:])
    return dict(create_keyfile_json(secret, passphrase.encode(), kdf="scrypt", iterations=WORK_FACTOR))


def _write_new(path: Path, text: str, name: str) -> None:
    """Write a file of mode 0600 that is there whole or not at all, and never over another one."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.link(temporary, path)
    except FileExistsError:
        raise _taken(name) from None
    finally:
        Path(temporary).unlink()


def _taken(name: str) -> FloworkError:
    return FloworkError(ErrorCode.CONFLICT, f"There is an identity {name!r} already; choose another name.")


def _address_in(path: Path) -> str | None:
    try:
        address = json.loads(path.read_text("utf-8"))["address"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    text = f"0x{str(address).removeprefix('0x')}"
    return checksum_address(text) if is_address(text) else None
