"""Keys that sign: a wallet from random, from its words or from its hex key (protocol §2.1)."""

from __future__ import annotations

import re
from typing import Protocol

from typing_extensions import override

from shared.errors import ErrorCode, FloworkError
from shared.signing.native import address_of, keccak, public_key, sign_digest
from shared.signing.recover import text_digest

PATH = "m/44'/60'/0'/0/0"

_HEX_KEY = re.compile(r"(?:0x)?([0-9a-fA-F]{64})")


class Signer(Protocol):
    """Whatever signs texts for one address: a key in memory, a session key, a wallet that asks its owner."""

    @property
    def address(self) -> str:
        """The signer's address with EIP-55 capitals."""
        ...

    def sign_text(self, text: str) -> str:
        """Return the EIP-191 signature in its canonical spelling: ``0x``, 130 hex digits, low s, v 27 or 28."""
        ...


class WalletKey:
    """A private key in memory; its text form never shows the key."""

    __slots__ = ("_address", "_secret")

    def __init__(self, secret: bytes) -> None:
        try:
            self._address = checksum_address(address_of(public_key(secret)))
        except ValueError as error:
            raise FloworkError(ErrorCode.INVALID_REQUEST, "This is not a secp256k1 private key.") from error
        self._secret = secret

    @classmethod
    def create(cls) -> tuple[WalletKey, str]:
        """Return a fresh key and the 12 English words that restore it; show the words once and forget them."""
        # The word list comes with a package that takes more than a second to load; only these two need it.
        from eth_account.hdaccount import generate_mnemonic  # noqa: PLC0415
        from eth_account.types import Language  # noqa: PLC0415

        words = generate_mnemonic(12, Language.ENGLISH)
        return cls.from_words(words), words

    @classmethod
    def from_words(cls, words: str) -> WalletKey:
        """Return the first account of a BIP-39 phrase without passphrase; raises INVALID_REQUEST."""
        from eth_account.hdaccount import key_from_seed  # noqa: PLC0415 - see create
        from eth_account.hdaccount.mnemonic import Mnemonic  # noqa: PLC0415
        from eth_account.types import Language  # noqa: PLC0415

        phrase = " ".join(words.split()).lower()
        if not Mnemonic(Language.ENGLISH).is_mnemonic_valid(phrase):
            raise FloworkError(
                ErrorCode.INVALID_REQUEST,
                "This is not a valid phrase of English words (12 to 24, the last one is a checksum).",
            )
        return cls(key_from_seed(Mnemonic.to_seed(phrase), PATH))

    @classmethod
    def from_hex(cls, key: str) -> WalletKey:
        """Return the key written as 64 hex digits, with or without ``0x``; raises INVALID_REQUEST."""
        match = _HEX_KEY.fullmatch(key.strip())
        if match is None:
            raise FloworkError(ErrorCode.INVALID_REQUEST, "A private key is 0x and 64 hex digits.")
        return cls(bytes.fromhex(match[1]))

    @property
    def address(self) -> str:
        """The address with EIP-55 capitals."""
        return self._address

    def sign_text(self, text: str) -> str:
        """Return the canonical EIP-191 signature of a text; the same text gives the same signature."""
        raw = sign_digest(self._secret, text_digest(text))
        return f"0x{raw[:64].hex()}{raw[64] + 27:02x}"

    def private_key_hex(self) -> str:
        """Return ``0x`` and the 64 hex digits of the private key: a secret, for the owner's own storage only."""
        return f"0x{self._secret.hex()}"

    @override
    def __repr__(self) -> str:
        return f"WalletKey({self._address})"


def checksum_address(address: str) -> str:
    """Return an address with the capitals of EIP-55."""
    digits = address[2:].lower()
    marks = keccak(digits.encode()).hex()
    return "0x" + "".join(
        digit.upper() if mark >= "8" else digit for digit, mark in zip(digits, marks, strict=False)
    )
