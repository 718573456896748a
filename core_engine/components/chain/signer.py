"""The program that signs one transaction and ends: the only place where a key meets the signing library.

Started as ``python -I -B signer.py`` with an empty environment. Standard input: a line ``{"key": …}``, answered with
``{"address": …}``; then a line ``{"transaction": {…}}``, answered with ``{"raw": …, "hash": …}``. What is wrong is
answered with ``{"error": …}``, which never contains the key. It ends by itself when its input is closed.
"""

from __future__ import annotations

import json
import sys
from typing import Any

_LONGEST_LINE = 2 * 1024 * 1024


def main() -> None:
    """Speak the protocol above."""
    from eth_account import Account  # noqa: PLC0415 - this process exists for it

    try:
        account = Account.from_key(_receive()["key"])
    except Exception:  # noqa: BLE001 - the text of the error may hold the key
        _send({"error": "the private key is not valid"})
        return
    _send({"address": account.address})
    request = _receive()
    if not request:
        return
    try:
        signed = account.sign_transaction(request["transaction"])
    except Exception as error:  # noqa: BLE001 - whatever the library says is the answer
        _send({"error": f"the transaction cannot be signed: {type(error).__name__}"})
        return
    _send({"raw": f"0x{bytes(signed.raw_transaction).hex()}", "hash": f"0x{bytes(signed.hash).hex()}"})


def _receive() -> dict[str, Any]:
    line = sys.stdin.readline(_LONGEST_LINE)
    value = json.loads(line) if line.strip() else {}
    return value if isinstance(value, dict) else {}


def _send(value: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
