"""The bytes of a transaction of type 2 (EIP-1559): the recursive length prefix of its fields, and its signature."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from shared.signing.native import keccak, sign_digest

TYPE = b"\x02"
_LONG = 56

Item = bytes | int | Sequence["Item"]


def sign(transaction: Mapping[str, Any], secret: bytes) -> tuple[bytes, bytes]:
    """Return the signed transaction and its hash; raises KeyError, TypeError or ValueError for wrong fields."""
    if transaction["type"] != 2:
        raise ValueError("only transactions of type 2 are signed")
    fields: list[Item] = [
        *(_number(transaction[name]) for name in ("chainId", "nonce", "maxPriorityFeePerGas", "maxFeePerGas", "gas")),
        _bytes(transaction["to"], 20), _number(transaction["value"]), _bytes(transaction["data"]), [],
    ]  # fmt: skip
    signature = sign_digest(secret, keccak(TYPE + encode(fields)))
    numbers = (signature[64], int.from_bytes(signature[:32]), int.from_bytes(signature[32:64]))
    raw = TYPE + encode([*fields, *numbers])
    return raw, keccak(raw)


def encode(item: Item) -> bytes:
    """Return the recursive length prefix encoding of bytes, whole numbers from 0 on, and lists of these."""
    if isinstance(item, int):
        item = item.to_bytes((item.bit_length() + 7) // 8)
    if isinstance(item, bytes):
        return item if len(item) == 1 and item[0] < 0x80 else _prefix(0x80, len(item)) + item
    body = b"".join(map(encode, item))
    return _prefix(0xC0, len(body)) + body


def _prefix(base: int, length: int) -> bytes:
    if length < _LONG:
        return bytes([base + length])
    size = length.to_bytes((length.bit_length() + 7) // 8)
    return bytes([base + _LONG - 1 + len(size)]) + size


def _number(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**256:
        raise ValueError("not a number of 256 bits")
    return value


def _bytes(text: Any, length: int | None = None) -> bytes:
    if not isinstance(text, str) or not text.startswith("0x"):
        raise ValueError("not bytes in hex")
    value = bytes.fromhex(text[2:])
    if length is not None and len(value) != length:
        raise ValueError(f"not {length} bytes")
    return value
