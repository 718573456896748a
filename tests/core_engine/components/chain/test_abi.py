"""Signatures and ABI JSON are read alike, and values go to bytes and back."""

from __future__ import annotations

import json

import pytest
from eth_abi.abi import encode

from core_engine.components.chain.abi import Entry, Param, address, read_entry
from shared.errors import ErrorCode, FloworkError

SOMEBODY = "0x52908400098527886E0F7030069857D2E4169EE7"
ABI = [
    {
        "type": "function", "name": "pay",
        "inputs": [
            {"name": "orders", "type": "tuple[]", "components": [
                {"name": "who", "type": "address"}, {"name": "amounts", "type": "uint256[2]"},
            ]},
            {"name": "note", "type": "string"},
        ],
        "outputs": [{"name": "", "type": "bool"}],
    },
    {"type": "event", "name": "Paid", "inputs": [{"name": "note", "type": "string", "indexed": True}]},
    {"type": "function", "name": "other", "inputs": []},
]  # fmt: skip
PAY = "function pay((address who, uint[2] amounts)[] orders, string memory note) external returns (bool)"


def test_a_signature_and_abi_json_say_the_same() -> None:
    written, listed = read_entry(PAY, "function"), read_entry(json.dumps(ABI), "function", "pay")
    assert written == listed
    assert written.inputs == (Param("orders", "(address,uint256[2])[]"), Param("note", "string"))
    assert (
        written.hash[:4].hex() == read_entry("pay((address,uint256[2])[],string)", "function").hash[:4].hex()
    )


def test_well_known_hashes_come_out() -> None:
    transfer = read_entry("transfer(address to, uint256 value) returns (bool)", "function")
    assert transfer.hash[:4].hex() == "a9059cbb"
    event = read_entry("Transfer(address indexed from, address indexed to, uint256 value)", "event")
    assert event.hash.hex() == "ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
    assert [param.indexed for param in event.inputs] == [True, True, False]


def test_arguments_of_json_become_bytes() -> None:
    entry = read_entry(PAY, "function")
    orders = [{"who": SOMEBODY.lower(), "amounts": [1, "0x10"]}, [SOMEBODY, [str(2**200), 3.0]]]
    data = entry.encode_call([orders, "grüß"])
    plain = [(SOMEBODY, [1, 16]), (SOMEBODY, [2**200, 3])]
    assert data[4:] == encode([param.type for param in entry.inputs], [plain, "grüß"])


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("uint8", 256), ("uint8", -1), ("uint256", 1.5), ("uint256", True), ("uint256", "many"), ("bool", "perhaps"),
        ("address", "0x12"), ("address", SOMEBODY.replace("E", "e", 1)), ("bytes4", "0x1234567890"), ("bytes", "xy"),
        ("uint256[2]", [1]), ("uint256[]", "{}"), ("(uint256,bool)", [1]), ("uint256", None),
    ],
)  # fmt: skip
def test_arguments_that_do_not_fit_are_refused(kind: str, value) -> None:
    entry = Entry("f", (Param("a", kind),))
    with pytest.raises(FloworkError) as caught:
        entry.encode_call([value])
    assert caught.value.code is ErrorCode.INVALID_REQUEST


def test_outputs_become_json() -> None:
    entry = read_entry(
        "f() returns (uint256 n, bytes4 b, (address who, bool[] yes) t, int8, string)", "function"
    )
    data = encode(
        [param.type for param in entry.outputs], [2**60, b"\x01\x02\x03\x04", (SOMEBODY, [True]), -5, "é"]
    )
    values = {item["name"]: item["value"] for item in entry.decode_outputs(data)[:3]}
    assert values == {"n": str(2**60), "b": "0x01020304", "t": [SOMEBODY, [True]]}
    assert [item["value"] for item in entry.decode_outputs(data)[3:]] == [-5, "é"]


@pytest.mark.parametrize("data", [b"", b"\xff" * 32, b"\xff" * 31, b"\x00" * 31 + b"\x20" + b"\xff" * 32])
def test_answers_that_do_not_fit_are_an_error(data: bytes) -> None:
    entry = read_entry("f() returns (string)", "function")
    with pytest.raises(FloworkError) as caught:
        entry.decode_outputs(data)
    assert caught.value.code is ErrorCode.COMPONENT_FAILED


def test_an_indexed_text_is_there_as_its_hash() -> None:
    event = read_entry(json.dumps(ABI), "event")
    assert event.decode_log([event.hash, b"\x01" * 32], b"") == {"note": "0x" + "01" * 32}
    with pytest.raises(FloworkError):
        event.decode_log([event.hash], b"")


@pytest.mark.parametrize(
    "text",
    ["", "f", "f(", "f(uint257)", "f(nothing)", "1f()", "f() returns (uint256) more", "[]", "[1]", "{", json.dumps(ABI),
     '{"name": "f"}', "f((uint256)", "(" * 5000, "[" * 5000],
)  # fmt: skip
def test_what_is_no_function_is_refused(text: str) -> None:
    with pytest.raises(FloworkError) as caught:
        read_entry(text, "function")
    assert caught.value.code is ErrorCode.INVALID_REQUEST


def test_addresses_get_their_checksum() -> None:
    assert address(f" {SOMEBODY.lower()} ") == SOMEBODY
