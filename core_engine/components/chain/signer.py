"""The program that signs one transaction and ends: the only place where a step's key is used.

Started as ``python -I -B signer.py`` with an empty environment. Standard input: a line ``{"key": …}``, answered with
``{"address": …}``; then a line ``{"transaction": {…}}``, answered with ``{"raw": …, "hash": …}``. What is wrong is
answered with ``{"error": …}``, which never contains the key. It ends by itself when its input is closed.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[3]))

from core_engine.components.chain import typed
from shared.errors import FloworkError
from shared.signing.keys import WalletKey

_LONGEST_LINE = 2 * 1024 * 1024


def main() -> None:
    """Speak the protocol above."""
    try:
        key = WalletKey.from_hex(_receive()["key"])
    except (FloworkError, KeyError, AttributeError):
        _send({"error": "the private key is not valid"})
        return
    _send({"address": key.address})
    request = _receive()
    if not request:
        return
    try:
        raw, tx_hash = typed.sign(request["transaction"], bytes.fromhex(key.private_key_hex()[2:]))
    except (KeyError, TypeError, ValueError) as error:
        _send({"error": f"the transaction cannot be signed: {type(error).__name__}"})
        return
    _send({"raw": f"0x{raw.hex()}", "hash": f"0x{tx_hash.hex()}"})


def _receive() -> dict[str, Any]:
    line = sys.stdin.readline(_LONGEST_LINE)
    value = json.loads(line) if line.strip() else {}
    return value if isinstance(value, dict) else {}


def _send(value: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
