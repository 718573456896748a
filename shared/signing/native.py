"""The native secp256k1 library: the only place that touches it, and the check that it is there."""

from __future__ import annotations

from eth_hash.auto import keccak

from shared.errors import ErrorCode, FloworkError

try:
    import coincurve
except ImportError:  # reported by require_native_backend, with a sentence instead of a trace
    coincurve = None  # type: ignore[assignment]


def require_native_backend() -> None:
    """Refuse to start without the native verifier.

    The pure-Python one is about 40 times slower, so that bad signatures alone would be a weapon.
    Raises `FloworkError` CONFIGURATION.
    """
    if coincurve is None:
        raise FloworkError(
            ErrorCode.CONFIGURATION,
            "The package coincurve (native secp256k1) is missing; without it signatures cannot be checked.",
        )


def sign_digest(secret: bytes, digest: bytes) -> bytes:
    """Return r, s and the recovery id as 65 bytes: deterministic (RFC 6979), low s."""
    return coincurve.PrivateKey(secret).sign_recoverable(digest, hasher=None)


def recover_public_key(signature: bytes, digest: bytes) -> bytes:
    """Return the 64 bytes of the key that made a 65-byte signature; raises ValueError if there is none."""
    key = coincurve.PublicKey.from_signature_and_message(signature, digest, hasher=None)
    return key.format(compressed=False)[1:]


def public_key(secret: bytes) -> bytes:
    """Return the 64 bytes of a secret's public key; raises ValueError for a secret outside the group."""
    return coincurve.PrivateKey(secret).public_key.format(compressed=False)[1:]


def address_of(key: bytes) -> str:
    """Return the address of a 64-byte public key in lower case."""
    return "0x" + keccak(key)[-20:].hex()
