"""Amounts of a chain's own coin: decimal text and whole wei, exact in both directions."""

from __future__ import annotations

_DIGITS = 18
_ONE: int = 10**_DIGITS


def wei(text: str) -> int:
    """Return an amount such as ``0.05`` in wei; it has at most 18 decimals."""
    whole, _, part = text.partition(".")
    return int(whole) * _ONE + int(part.ljust(_DIGITS, "0"))


def coins(amount: int) -> str:
    """Return wei as an amount without needless zeros."""
    whole, part = divmod(amount, _ONE)
    return f"{whole}.{part:0{_DIGITS}d}".rstrip("0").rstrip(".")
