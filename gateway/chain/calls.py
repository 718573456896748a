"""Calls of contracts that change nothing: the little of the ABI that they need, written out."""

from __future__ import annotations

from gateway.chain.rpc import Node, unavailable
from shared.ids import is_address

WORD = 32
MOST_GAS = 1_000_000
ZERO = "0x" + "0" * 40


def call(node: Node, contract: str, data: bytes) -> bytes:
    """Return what a contract answers at the newest block; raises ENGINE_UNAVAILABLE, also where it refuses."""
    request = {"to": contract, "data": f"0x{data.hex()}", "gas": hex(MOST_GAS)}
    return unhex(node.call("eth_call", request, "latest"))


def unhex(value: object) -> bytes:
    """Read bytes as JSON-RPC spells them; raises ENGINE_UNAVAILABLE."""
    if isinstance(value, str) and value.startswith("0x"):
        try:
            return bytes.fromhex(value[2:])
        except ValueError:
            pass
    raise unavailable("The chain's node answered something else where bytes belong.")


def word(number: int) -> bytes:
    """Return a number as a word of the ABI."""
    return number.to_bytes(WORD, "big")


def padded(data: bytes) -> bytes:
    """Return a dynamic value: its length, then its bytes in whole words."""
    return word(len(data)) + data + b"\0" * (-len(data) % WORD)


def read_address(answer: bytes) -> str | None:
    """Return the address in the first word, in lower case, None for the zero address or another kind of answer."""
    if len(answer) < WORD or any(answer[:12]):
        return None
    found = f"0x{answer[12:WORD].hex()}"
    return found if is_address(found) and found != ZERO else None


def read_text(answer: bytes, most: int) -> str | None:
    """Return a text of at most ``most`` bytes, None for another kind of answer."""
    if len(answer) < 2 * WORD or int.from_bytes(answer[:WORD], "big") != WORD:
        return None
    size = int.from_bytes(answer[WORD : 2 * WORD], "big")
    if not 0 < size <= most or len(answer) < 2 * WORD + size:
        return None
    try:
        return answer[2 * WORD : 2 * WORD + size].decode()
    except UnicodeDecodeError:
        return None
