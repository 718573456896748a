"""The proof that claims an engine: made from the code on its console, judged by the engine alone."""

from __future__ import annotations

import hashlib
import hmac


def claim_proof(code: str, address: str, engine_id: str) -> str:
    """Return the hex HMAC-SHA256, keyed with the code, of ``flowork_claim|<address in lower case>|<engine id>``."""
    text = f"flowork_claim|{address.lower()}|{engine_id}"
    return hmac.new(code.encode(), text.encode(), hashlib.sha256).hexdigest()


def verify_claim(code: str, address: str, engine_id: str, proof: str) -> bool:
    """Tell, in constant time, whether a proof was made with the code for this address and engine.

    An empty code never matches: an engine without a code cannot be claimed.
    """
    expected = claim_proof(code, address, engine_id)
    return bool(code) & hmac.compare_digest(expected.encode(), proof.encode(errors="replace"))
