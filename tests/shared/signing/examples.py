"""What the signing tests share: known keys, a fixed moment, the vectors, and how a refusal is expected."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from shared.errors import ErrorCode, FloworkError
from shared.signing.delegation import ANY_ENGINE, DelegationOffer, SignedDelegation, sign_delegation
from shared.signing.envelope import EnvelopeVerifier
from shared.signing.keys import WalletKey
from shared.signing.replay import ReplayWindow
from shared.signing.standing import StandingDelegations

NOW = 1_766_000_000_123
SECONDS = NOW // 1000
ENGINE = "engine-1"
FULL_WIDTH = "".join(chr(0xFF10 + int(digit)) for digit in str(SECONDS))
ARABIC = "".join(chr(0x660 + int(digit)) for digit in str(SECONDS))
WALLET = WalletKey(hashlib.sha256(b"wallet").digest())
OTHER = WalletKey(hashlib.sha256(b"other").digest())
SESSION = WalletKey(hashlib.sha256(b"session").digest())
PAGE = "flow.example:8000"
OFFER = DelegationOffer(PAGE, f"https://{PAGE}", 1, "0123456789abcdef")
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


def vectors(name: str) -> Any:
    return json.loads((Path(__file__).parent / "vectors" / f"{name}.json").read_text())


@contextmanager
def refused(*codes: ErrorCode, saying: str = "") -> Iterator[None]:
    with pytest.raises(FloworkError) as caught:
        yield
    assert caught.value.code in codes, caught.value
    assert saying in caught.value.message


def outcome(act: Callable[[], Any]) -> Any:
    """Return what the act returns, or the code of its refusal."""
    try:
        return act()
    except FloworkError as error:
        return error.code


def verifier(
    form: str = "documented", *, engine: str = ENGINE, sessions: StandingDelegations | None = None
) -> Any:
    return EnvelopeVerifier(engine, form, ReplayWindow(), sessions=sessions)  # type: ignore[arg-type]


def frame(message: str, payload: Any = None, *, signer: WalletKey = WALLET, **auth: Any) -> str:
    """Return a frame in any form; ``auth`` members replace the honest ones."""
    honest = {"address": signer.address, "message": message, "signature": signer.sign_text(message)}
    return json.dumps({"auth": honest | auth, "payload": {"type": "x"} if payload is None else payload})


def standing(engine_id: str | None = ENGINE) -> StandingDelegations:
    return StandingDelegations(lambda name: name == PAGE, engine_id=engine_id)


def delegate(
    *,
    wallet: WalletKey = WALLET,
    session: WalletKey = SESSION,
    offer: DelegationOffer = OFFER,
    **changes: Any,
) -> SignedDelegation:
    members: dict[str, Any] = {
        "engines": [ANY_ENGINE],
        "scopes": ["read", "run"],
        "issued_ms": NOW,
        "expires_ms": NOW + 3_600_000,
    }
    return sign_delegation(wallet, offer, session.address, **(members | changes))


def spellings(signature: str) -> dict[str, str]:
    """Return other spellings of a signature, each of which some library accepts, and some that none should."""
    r, s, v = signature[2:66], signature[66:130], int(signature[130:], 16)
    twin = f"{ORDER - int(s, 16):064x}"
    flipped = 55 - v
    return {
        "high s": f"0x{r}{twin}{flipped:02x}",
        "v 0 or 1": f"0x{r}{s}{v - 27:02x}",
        "v of EIP-155": f"0x{r}{s}{v + 10:02x}",
        "v 2": f"0x{r}{s}02",
        "64 bytes": f"0x{r}{s}",
        "66 bytes": f"{signature}00",
        "upper case": "0x" + signature[2:].upper(),
        "upper-case prefix": "0X" + signature[2:],
        "no prefix": signature[2:],
        "r zero": f"0x{'0' * 64}{s}{v:02x}",
        "s zero": f"0x{r}{'0' * 64}{v:02x}",
        "r at the order": f"0x{ORDER:064x}{s}{v:02x}",
        "s at the order": f"0x{r}{ORDER:064x}{v:02x}",
        "r above the order": f"0x{'f' * 64}{s}{v:02x}",
        "full-width digit": signature[:-1] + "\uff10",
        "line end": signature + "\n",
        "space": " " + signature,
        "empty": "",
    }
