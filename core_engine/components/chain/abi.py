"""Functions and events of contracts: written as people write them or as ABI JSON; values to bytes and back.

Imported only when a contract is asked, because the codec is large.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from eth_abi.abi import decode, encode
from eth_abi.exceptions import ABITypeError, DecodingError, EncodingError, ParseError
from eth_abi.grammar import BasicType, TupleType, normalize, parse
from eth_utils.address import is_checksum_formatted_address, to_checksum_address
from eth_utils.crypto import keccak

from core_engine.components.chain.rpc import shown_int
from shared.errors import ErrorCode, FloworkError

_NAME = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*\Z")
_BASES = frozenset({"uint", "int", "bool", "address", "bytes", "string"})
_LARGEST = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Param:
    """One input or output; ``type`` is canonical, such as ``uint256`` or ``(address,bool)[]``."""

    name: str
    type: str
    indexed: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """A function or an event."""

    name: str
    inputs: tuple[Param, ...]
    outputs: tuple[Param, ...] = ()

    @property
    def hash(self) -> bytes:
        """The Keccak-256 of the canonical signature: an event's topic; a function's selector is its start."""
        return keccak(text=f"{self.name}({','.join(param.type for param in self.inputs)})")

    def encode_call(self, args: Sequence[Any]) -> bytes:
        """Return a call's data; raises FloworkError INVALID_REQUEST."""
        if len(args) != len(self.inputs):
            raise _wrong(f"{self.name} takes {len(self.inputs)} arguments, {len(args)} are given")
        types = [param.type for param in self.inputs]
        try:
            values = [_coerce(parse(kind), value) for kind, value in zip(types, args, strict=True)]
            return self.hash[:4] + encode(types, values)
        except (EncodingError, ValueError, TypeError, OverflowError) as error:
            raise _wrong(f"the arguments of {self.name} do not fit: {error}") from error

    def decode_outputs(self, data: bytes) -> list[dict[str, Any]]:
        """Return ``name``, ``type`` and ``value`` of each output; raises FloworkError COMPONENT_FAILED."""
        return [
            {"name": param.name, "type": param.type, "value": value}
            for param, value in zip(self.outputs, _decode(self.outputs, data), strict=True)
        ]

    def decode_log(self, topics: Sequence[bytes], data: bytes) -> dict[str, Any]:
        """Return the values of an event by name; an indexed text, list or tuple is only there as its hash."""
        indexed = [param for param in self.inputs if param.indexed]
        plain = [param for param in self.inputs if not param.indexed]
        if len(topics) != len(indexed) + 1 or topics[0] != self.hash:
            raise _broken(f"a log that is no {self.name} as described")
        values = dict(zip(map(_key, plain), _decode(plain, data), strict=True))
        for param, topic in zip(indexed, topics[1:], strict=True):
            kind = parse(param.type)
            hashed = kind.is_dynamic or kind.is_array or isinstance(kind, TupleType)
            values[_key(param)] = f"0x{topic.hex()}" if hashed else _decode([param], topic)[0]
        return {_key(param): values[_key(param)] for param in self.inputs}


def read_entry(text: str, kind: str, name: str = "") -> Entry:
    """Read a function or event (``kind``) from a signature or from ABI JSON, of which ``name`` chooses the entry.

    Signatures look like ``balanceOf(address owner) view returns (uint256)`` and
    ``event Transfer(address indexed from, address indexed to, uint256 value)``. Raises INVALID_REQUEST.
    """
    stripped = text.strip()
    try:
        entry = _from_json(stripped, kind, name) if stripped[:1] in "[{" else _from_text(stripped, kind)
        for param in (*entry.inputs, *entry.outputs):
            _check(parse(param.type))
    except (
        ParseError,
        ABITypeError,
        LookupError,
        TypeError,
        AttributeError,
        ValueError,
        RecursionError,
    ) as error:
        raise _wrong(f"the {kind} cannot be read: {str(error)[:300] or type(error).__name__}") from error
    return entry


def address(value: Any) -> str:
    """Return an address with its checksum; raises INVALID_REQUEST, also for a mistyped one."""
    text = str(value).strip()
    if not re.fullmatch(r"0x[0-9a-fA-F]{40}", text):
        raise _wrong(f"{text[:60]!r} is no address")
    right = str(to_checksum_address(text))
    if is_checksum_formatted_address(text) and text != right:
        raise _wrong(f"the address {text} is mistyped: its checksum is wrong")
    return right


def _check(kind: Any) -> None:
    kind.validate()
    if isinstance(kind, TupleType):
        for part in kind.components:
            _check(part)
    elif kind.base not in _BASES:
        raise ValueError(f"there is no type {kind.to_type_str()}")


def _from_json(text: str, kind: str, name: str) -> Entry:
    found = json.loads(text)
    items = [
        item for item in (found if isinstance(found, list) else [found]) if item.get("type", kind) == kind
    ]
    chosen = [item for item in items if not name or item["name"] == name]
    if len(chosen) != 1:
        raise ValueError(f"the ABI holds {len(chosen)} of them; name one")
    item = chosen[0]
    return Entry(item["name"], _json_params(item["inputs"]), _json_params(item.get("outputs", [])))


def _json_params(items: list[dict[str, Any]]) -> tuple[Param, ...]:
    return tuple(Param(item.get("name", ""), _json_type(item), bool(item.get("indexed"))) for item in items)


def _json_type(item: dict[str, Any]) -> str:
    kind = str(item["type"])
    if kind.startswith("tuple"):
        parts = ",".join(_json_type(part) for part in item["components"])
        return f"({parts}){kind[len('tuple') :]}"
    return str(normalize(kind))  # type: ignore[no-untyped-call]


def _from_text(text: str, kind: str) -> Entry:
    text = text.removeprefix(f"{kind} ").rstrip("; ").strip()
    head, found, rest = text.partition("(")
    if not found or not _NAME.match(head.strip()):
        raise ValueError("write it as name(type name, …)")
    inputs, rest = _closed(rest)
    _words, found, returned = rest.partition("returns")
    outputs = ""
    if found:
        outputs, rest = _closed(returned.strip().removeprefix("("))
        if rest.strip():
            raise ValueError(f"{rest.strip()[:60]!r} is too much")
    return Entry(head.strip(), _text_params(inputs), _text_params(outputs))


def _closed(text: str) -> tuple[str, str]:
    """Return what stands before the bracket that closes, and what follows it."""
    depth = 1
    for place, sign in enumerate(text):
        depth += (sign == "(") - (sign == ")")
        if depth == 0:
            return text[:place], text[place + 1 :]
    raise ValueError("a bracket is not closed")


def _text_params(text: str) -> tuple[Param, ...]:
    return tuple(_text_param(part) for part in _split(text)) if text.strip() else ()


def _split(text: str) -> list[str]:
    parts, depth = [""], 0
    for sign in text:
        depth += (sign == "(") - (sign == ")")
        if sign == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += sign
    return parts


def _text_param(text: str) -> Param:
    text = text.strip().removeprefix("tuple").strip()
    if text.startswith("("):
        inner, rest = _closed(text[1:])
        suffix, _, names = rest.partition(" ")
        kind = f"({','.join(param.type for param in _text_params(inner))}){suffix}"
        words = names.split()
    else:
        kind, *words = text.split()
        kind = str(normalize(kind))  # type: ignore[no-untyped-call]
    kept = [word for word in words if word not in {"indexed", "memory", "calldata", "payable"}]
    return Param(kept[0] if kept else "", kind, "indexed" in words)


def _coerce(kind: Any, value: Any) -> Any:
    """Return a JSON value as the codec wants it."""
    if kind.is_array:
        return [_coerce(kind.item_type, item) for item in _listed(value)]
    if isinstance(kind, TupleType):
        items = list(value.values()) if isinstance(value, dict) else _listed(value)
        return tuple(_coerce(part, item) for part, item in zip(kind.components, items, strict=True))
    if not isinstance(kind, BasicType):
        raise TypeError(f"{kind.to_type_str()} is not supported")
    return _COERCIONS.get(kind.base, str)(value)


def _listed(value: Any) -> list[Any]:
    items = json.loads(value) if isinstance(value, str) else value
    if not isinstance(items, list | tuple):
        raise TypeError(f"{str(items)[:60]!r} is no list")
    return list(items)


def _number(value: Any) -> int:
    if isinstance(value, bool) or (isinstance(value, float) and not value.is_integer()):
        raise ValueError(f"{value!r} is no whole number")
    return int(value, 0) if isinstance(value, str) else int(value)


def _truth(value: Any) -> bool:
    if not isinstance(value, bool) and str(value).lower() not in {"true", "false"}:
        raise ValueError(f"{value!r} is neither true nor false")
    return str(value).lower() == "true"


def _octets(value: Any) -> bytes:
    return bytes.fromhex(str(value).removeprefix("0x"))


_COERCIONS: dict[str, Callable[[Any], Any]] = {
    "uint": _number,
    "int": _number,
    "bool": _truth,
    "address": address,
    "bytes": _octets,
}


def _decode(params: Sequence[Param], data: bytes) -> list[Any]:
    if len(data) > _LARGEST:
        raise _broken("more data than is taken")
    types = [param.type for param in params]
    try:
        values = decode(types, data)
    except (DecodingError, ValueError, OverflowError, RecursionError, MemoryError) as error:
        raise _broken(f"data that does not fit ({str(error)[:200]})") from error
    return [_shown(parse(kind), value) for kind, value in zip(types, values, strict=True)]


def _shown(kind: Any, value: Any) -> Any:
    if kind.is_array:
        return [_shown(kind.item_type, item) for item in value]
    if isinstance(kind, TupleType):
        return [_shown(part, item) for part, item in zip(kind.components, value, strict=True)]
    if isinstance(value, bytes):
        return f"0x{value.hex()}"
    if isinstance(value, int) and not isinstance(value, bool):
        return shown_int(value)
    return to_checksum_address(value) if kind.base == "address" else value


def _key(param: Param) -> str:
    return param.name or param.type


def _wrong(what: str) -> FloworkError:
    return FloworkError(ErrorCode.INVALID_REQUEST, f"{what[0].upper()}{what[1:]}.")


def _broken(what: str) -> FloworkError:
    return FloworkError(ErrorCode.COMPONENT_FAILED, f"The node answered with {what}.")
