"""Recovers who signed a text (EIP-191), accepting exactly one spelling of each signature (protocol §2.2)."""

from __future__ import annotations

import re

from shared.errors import ErrorCode, FloworkError
from shared.signing.native import address_of, keccak, recover_public_key

__all__ = ["is_canonical", "recover_text", "text_digest"]

_SPELLING = re.compile(r"0x[0-9a-f]{128}(?:1b|1c)")
_HALF_ORDER = "7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0"


def text_digest(text: str) -> bytes:
    """Return the EIP-191 hash that a wallet signs for a text; raises ValueError for a lone surrogate."""
    data = text.encode()
    return keccak(b"\x19Ethereum Signed Message:\n%d" % len(data) + data)


def is_canonical(signature: str) -> bool:
    """Tell whether a signature is in its one accepted spelling.

    That is ``0x`` and 130 lower-case hex digits, s in the lower half of the group and v 27 or 28. Libraries accept
    several more spellings of the same signature; each of them would slip past a guard that compares signatures.
    """
    # Equal-length lower-case hex sorts like the numbers it stands for.
    return _SPELLING.fullmatch(signature) is not None and signature[66:130] <= _HALF_ORDER


def recover_text(text: str, signature: str) -> str:
    """Return the address, in lower case, whose key signed the text.

    Any signature over any text recovers to some address: compare the answer with the claimed one.
    Raises `FloworkError` BAD_SIGNATURE for every spelling but the canonical one and for impossible values.
    """
    if not is_canonical(signature):
        raise FloworkError(
            ErrorCode.BAD_SIGNATURE,
            "Invalid signature: expected 0x and 130 lower-case hex digits, low s, v 27 or 28.",
        )
    raw = bytes.fromhex(signature[2:])
    try:
        return address_of(recover_public_key(raw[:64] + bytes((raw[64] - 27,)), text_digest(text)))
    except ValueError as error:
        raise FloworkError(ErrorCode.BAD_SIGNATURE, "Invalid signature.") from error
