"""How a front and the leading process know each other, and what keeps their connection secret and whole.

Both hold the engine's key. From it comes a key for this purpose and this engine alone; each side proves that it has it
over fresh random bytes of both, and every record is sealed (AES-256-GCM) under keys made from these, one for each
direction, with its number as nonce: a record that is changed, left out, repeated or sent back does not open.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from core_engine.fronts.records import EDITION

RANDOM_BYTES = 32
PROOF_BYTES = 32
_LABEL = f"flowork engine fronts {EDITION}".encode()


@dataclass(frozen=True, slots=True)
class Meeting:
    """What both sides of one connection have seen: their random bytes, and the epoch of the leading process."""

    front: bytes
    leader: bytes
    epoch: int

    @property
    def text(self) -> bytes:
        """The bytes that are proven."""
        return self.front + self.leader + self.epoch.to_bytes(8, "big")


class LinkKey:
    """The key of one engine for the connections between its processes."""

    def __init__(self, engine_key: bytes, engine_id: str) -> None:
        self._key = _derive(engine_key, None, _LABEL + b"|" + engine_id.encode())

    def proof(self, side: str, meeting: Meeting) -> bytes:
        """Return what only a process with the key can say, as ``front`` or as ``leader``."""
        return hmac.digest(self._key, b"|".join((_LABEL, side.encode(), meeting.text)), "sha256")

    def proves(self, side: str, meeting: Meeting, proof: bytes) -> bool:
        """Tell whether the other side has the key."""
        return hmac.compare_digest(self.proof(side, meeting), proof)

    def seals(self, meeting: Meeting) -> tuple[Seal, Seal]:
        """Return what seals the records of the front, and those of the leading process."""
        first, second = (
            Seal(_derive(self._key, meeting.text, b"|".join((_LABEL, b"records of the", side))))
            for side in (b"front", b"leader")
        )
        return first, second


class Seal:
    """Seals or opens the records of one direction, each once and in order."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)
        self._number = 0

    def close(self, record: bytes) -> bytes:
        """Return the next record, sealed."""
        return self._cipher.encrypt(self._nonce(), record, None)

    def open(self, sealed: bytes) -> bytes:
        """Return the next record; raises ValueError where it is not the one that was sealed next."""
        try:
            return self._cipher.decrypt(self._nonce(), sealed, None)
        except InvalidTag as error:
            raise ValueError("a record does not open") from error

    def _nonce(self) -> bytes:
        self._number += 1
        return self._number.to_bytes(12, "big")


def _derive(key: bytes, salt: bytes | None, purpose: bytes) -> bytes:
    return HKDF(SHA256(), 32, salt, purpose).derive(key)
