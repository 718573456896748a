"""A real EVM node on loopback, with a small contract written in the machine's own code."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from tests.support.node import install

CHAIN_ID = 31337
_FOLDER = Path(__file__).with_name("evm_node")
_OPCODES = {
    "ADD": 0x01, "SUB": 0x03, "LT": 0x10, "SWAP1": 0x90, "DUP2": 0x81, "LOG3": 0xA3,
    "STOP": 0x00, "EQ": 0x14, "SHR": 0x1C, "CALLER": 0x33, "CALLDATALOAD": 0x35, "MSTORE": 0x52, "SLOAD": 0x54,
    "SHL": 0x1B, "ADDRESS": 0x30, "MLOAD": 0x51, "GAS": 0x5A, "STATICCALL": 0xFA,
    "SSTORE": 0x55, "JUMPI": 0x57, "JUMPDEST": 0x5B, "DUP1": 0x80, "LOG2": 0xA2, "RETURN": 0xF3, "REVERT": 0xFD,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Account:
    """An account with a lot of coins."""

    address: str
    key: str


@dataclass(frozen=True, slots=True)
class EvmNode:
    """A node. Every transaction gets a block of its own at once."""

    url: str
    accounts: tuple[Account, ...]

    def call(self, method: str, *params: Any) -> Any:
        """Ask the node, without any code of the product."""
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
        request = Request(self.url, body, {"Content-Type": "application/json"})
        with urlopen(request, timeout=60) as response:
            answer = json.loads(response.read())
        assert "error" not in answer, answer
        return answer["result"]

    def balance(self, address: str) -> int:
        return int(self.call("eth_getBalance", address, "latest"), 16)

    def mine(self, blocks: int) -> None:
        for _ in range(blocks):
            self.call("evm_mine")

    def deploy_box(self) -> str:
        """Put the box on the chain and return where it is.

        It has ``get()``, ``set(uint256)`` and the event ``Stored(address indexed who, uint256 value)``.
        """
        sender = self.accounts[0].address
        transaction = {"from": sender, "data": f"0x{_box().hex()}", "gas": hex(500_000)}
        return str(self.receipt(self.call("eth_sendTransaction", transaction))["contractAddress"])

    def deploy_token(self) -> str:
        """Put a real ERC-20 on the chain, all of its 10**30 units with the first account; return where it is."""
        transaction = {"from": self.accounts[0].address, "data": f"0x{_token().hex()}", "gas": hex(500_000)}
        return str(self.receipt(self.call("eth_sendTransaction", transaction))["contractAddress"])

    def deploy(self, code: bytes) -> str:
        """Put a contract on the chain by the code that makes it; return where it is."""
        transaction = {"from": self.accounts[0].address, "data": f"0x{code.hex()}", "gas": hex(500_000)}
        return str(self.receipt(self.call("eth_sendTransaction", transaction))["contractAddress"])

    def receipt(self, tx_hash: str) -> dict[str, Any]:
        found = self.call("eth_getTransactionReceipt", tx_hash)
        assert isinstance(found, dict)
        return found


@contextmanager
def evm_node() -> Iterator[EvmNode]:
    """Run a node on a free port until the block ends; skips the test by name where there is no Node."""
    folder, environment = install(_FOLDER, "evm-node", "the EVM node")
    child = subprocess.Popen(
        ["node", "serve.mjs"],
        cwd=folder,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        line = child.stdout.readline()
        if not line:
            pytest.fail("the EVM node ended before it said where it listens")
        told = json.loads(line)
        accounts = tuple(Account(one["address"], one["key"]) for one in told["accounts"])
        yield EvmNode(f"http://127.0.0.1:{told['port']}", accounts)
    finally:
        child.stdin.close()
        try:
            child.wait(20)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        child.stdout.close()


def _box() -> bytes:
    from eth_utils.crypto import keccak

    get, put = keccak(text="get()")[:4], keccak(text="set(uint256)")[:4]
    stored = keccak(text="Stored(address,uint256)")
    code = assemble(
        [
            b"\x00", "CALLDATALOAD", b"\xe0", "SHR",
            "DUP1", get, "EQ", "@get", "JUMPI",
            "DUP1", put, "EQ", "@set", "JUMPI",
            b"\x00", b"\x00", "REVERT",
            ":get", b"\x00", "SLOAD", b"\x00", "MSTORE", b"\x20", b"\x00", "RETURN",
            ":set", b"\x04", "CALLDATALOAD", "DUP1", b"\x00", "SSTORE", b"\x00", "MSTORE",
            "CALLER", stored, b"\x20", b"\x00", "LOG2", "STOP",
        ]
    )  # fmt: skip
    size = len(code)
    # PUSH1 size DUP1 PUSH1 11 PUSH1 0 CODECOPY PUSH1 0 RETURN, and the code behind it
    return bytes([0x60, size, 0x80, 0x60, 11, 0x60, 0, 0x39, 0x60, 0, 0xF3]) + code


def _token() -> bytes:
    from eth_utils.crypto import keccak

    transfer, balance_of = keccak(text="transfer(address,uint256)")[:4], keccak(text="balanceOf(address)")[:4]
    event = keccak(text="Transfer(address,address,uint256)")
    code = assemble(
        [
            b"\x00", "CALLDATALOAD", b"\xe0", "SHR",
            "DUP1", transfer, "EQ", "@transfer", "JUMPI",
            "DUP1", balance_of, "EQ", "@balance", "JUMPI",
            ":refuse", b"\x00", b"\x00", "REVERT",
            ":balance", b"\x04", "CALLDATALOAD", "SLOAD", b"\x00", "MSTORE", b"\x20", b"\x00", "RETURN",
            ":transfer", b"\x24", "CALLDATALOAD", "CALLER", "SLOAD", "DUP2", "DUP2", "LT", "@refuse", "JUMPI",
            "DUP2", "SWAP1", "SUB", "CALLER", "SSTORE",
            "DUP1", b"\x04", "CALLDATALOAD", "SLOAD", "ADD", b"\x04", "CALLDATALOAD", "SSTORE",
            b"\x00", "MSTORE", b"\x04", "CALLDATALOAD", "CALLER", event, b"\x20", b"\x00", "LOG3",
            b"\x01", b"\x00", "MSTORE", b"\x20", b"\x00", "RETURN",
        ]
    )  # fmt: skip
    # the constructor gives everything to its caller; then PUSH1 size DUP1 PUSH1 30 PUSH1 0 CODECOPY PUSH1 0 RETURN
    mint = bytes([0x6F]) + (10**30).to_bytes(16, "big") + bytes([0x33, 0x55])
    return mint + bytes([0x60, len(code), 0x80, 0x60, 30, 0x60, 0, 0x39, 0x60, 0, 0xF3]) + code


def assemble(words: list[str | bytes]) -> bytes:
    """Return the code of opcodes, pushes (bytes), marks (``:name``) and pushes of marks (``@name``)."""
    code, places, uses = bytearray(), {}, []
    for word in words:
        if isinstance(word, bytes):
            code += bytes([0x5F + len(word)]) + word
        elif word.startswith(":"):
            places[word[1:]] = len(code)
            code.append(_OPCODES["JUMPDEST"])
        elif word.startswith("@"):
            code += b"\x60\x00"
            uses.append((len(code) - 1, word[1:]))
        else:
            code.append(_OPCODES[word])
    for place, name in uses:
        code[place] = places[name]
    return bytes(code)
