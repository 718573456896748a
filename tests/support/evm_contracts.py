"""Small real contracts in the machine's own code: a wallet with one owner, and a registry of names."""

from __future__ import annotations

from tests.support.evm import assemble

RETURN_WORD = [b"\x00", "MSTORE", b"\x20", b"\x00", "RETURN"]
SELECTOR = [b"\x00", "CALLDATALOAD", b"\xe0", "SHR"]


def wallet(owner: str) -> bytes:
    """Return the code that makes a wallet with ``isValidSignature``: it accepts what its owner signed."""
    code = assemble(
        [
            *SELECTOR, bytes.fromhex("1626ba7e"), "EQ", "@check", "JUMPI", b"\x00", b"\x00", "REVERT",
            ":check",
            b"\x04", "CALLDATALOAD", b"\x00", "MSTORE",
            b"\xa4", "CALLDATALOAD", b"\xf8", "SHR", b"\x20", "MSTORE",
            b"\x64", "CALLDATALOAD", b"\x40", "MSTORE",
            b"\x84", "CALLDATALOAD", b"\x60", "MSTORE",
            b"\x20", b"\x80", b"\x80", b"\x00", b"\x01", "GAS", "STATICCALL",
            b"\x80", "MLOAD", b"\x00", "SLOAD", "EQ", "@good", "JUMPI",
            b"\x00", *RETURN_WORD,
            ":good", bytes.fromhex("1626ba7e"), b"\xe0", "SHL", *RETURN_WORD,
        ]
    )  # fmt: skip
    # PUSH20 owner PUSH1 0 SSTORE, then PUSH1 size DUP1 PUSH1 35 PUSH1 0 CODECOPY PUSH1 0 RETURN
    keep = bytes([0x73]) + bytes.fromhex(owner[2:]) + bytes([0x60, 0, 0x55])
    return keep + bytes([0x60, len(code), 0x80, 0x60, 35, 0x60, 0, 0x39, 0x60, 0, 0xF3]) + code


def registry() -> bytes:
    """Return the code that makes a registry which is its own resolver.

    Any other call stores its second word under its first: the address at the node of a name; for the name of an
    address its length at node + 1 and its letters at node + 2.
    """
    code = assemble(
        [
            *SELECTOR,
            "DUP1", bytes.fromhex("0178b8bf"), "EQ", "@resolver", "JUMPI",
            "DUP1", bytes.fromhex("3b3b57de"), "EQ", "@addr", "JUMPI",
            "DUP1", bytes.fromhex("691f3431"), "EQ", "@name", "JUMPI",
            b"\x24", "CALLDATALOAD", b"\x04", "CALLDATALOAD", "SSTORE", "STOP",
            ":resolver", "ADDRESS", *RETURN_WORD,
            ":addr", b"\x04", "CALLDATALOAD", "SLOAD", *RETURN_WORD,
            ":name", b"\x20", b"\x00", "MSTORE",
            b"\x04", "CALLDATALOAD", b"\x01", "ADD", "SLOAD", b"\x20", "MSTORE",
            b"\x04", "CALLDATALOAD", b"\x02", "ADD", "SLOAD", b"\x40", "MSTORE",
            b"\x60", b"\x00", "RETURN",
        ]
    )  # fmt: skip
    return bytes([0x60, len(code), 0x80, 0x60, 11, 0x60, 0, 0x39, 0x60, 0, 0xF3]) + code
