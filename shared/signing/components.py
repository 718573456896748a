"""An author's signature over a component: its id, its version and the hash of its folder (EIP-191)."""

from __future__ import annotations

import json
from typing import Any

from shared.errors import ErrorCode, FloworkError
from shared.ids import is_address, same_address
from shared.signing.keys import Signer, checksum_address
from shared.signing.recover import recover_text

PURPOSE = "flowork_component"


def component_text(component_id: str, version: str, folder_hash: str) -> str:
    """Return the text that an author signs."""
    return f"{PURPOSE}|{component_id}|{version}|{folder_hash}"


def sign_component(key: Signer, component_id: str, version: str, folder_hash: str) -> str:
    """Return the content of ``signature.json``: ``{"address", "signature"}``."""
    signature = key.sign_text(component_text(component_id, version, folder_hash))
    return json.dumps({"address": key.address, "signature": signature}, indent=1) + "\n"


def component_author(signed: Any, component_id: str, version: str, folder_hash: str) -> str:
    """Return who signed, with EIP-55 capitals; raises BAD_SIGNATURE for anything but a signature over just this."""
    address = signed.get("address") if isinstance(signed, dict) else None
    signature = signed.get("signature") if isinstance(signed, dict) else None
    if not isinstance(address, str) or not isinstance(signature, str) or not is_address(address):
        raise FloworkError(ErrorCode.BAD_SIGNATURE, "signature.json must hold an address and a signature.")
    signer = recover_text(component_text(component_id, version, folder_hash), signature)
    if not same_address(signer, address):
        raise FloworkError(
            ErrorCode.BAD_SIGNATURE,
            "The author's signature is not over these files: they were changed, or it was.",
        )
    return checksum_address(address)
