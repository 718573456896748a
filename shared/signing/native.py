"""The native secp256k1 and Keccak libraries: the only place that touches them, and the check that they are there."""

from __future__ import annotations

from shared.errors import ErrorCode, FloworkError

try:
    import coincurve
except ImportError:  # reported by require_native_backend, with a sentence instead of a trace
    coincurve = None  # type: ignore[assignment]
try:
    from sha3 import keccak_256
except ImportError:  # the same
    keccak_256 = None


def require_native_backend() -> None:
    """Refuse to start without the native libraries.

    The pure-Python verifier is about 40 times slower, so that bad signatures alone would be a weapon.
    Raises `FloworkError` CONFIGURATION.
    """
    missing = {"coincurve (native secp256k1)": coincurve, "safe-pysha3 (native Keccak)": keccak_256}
    for name, found in missing.items():
        if found is None:
            raise FloworkError(
                ErrorCode.CONFIGURATION,
                f"The package {name} is missing; without it signatures cannot be checked.",
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


def keccak(data: bytes) -> bytes:
    """Return Ethereum's hash of the bytes (Keccak-256, the padding from before SHA-3 was a standard)."""
    digest: bytes = keccak_256(data).digest()
    return digest


def address_of(key: bytes) -> str:
    """Return the address of a 64-byte public key in lower case."""
    return "0x" + keccak(key)[-20:].hex()
