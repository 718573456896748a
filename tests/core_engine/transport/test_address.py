"""Where the engine says it listens."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core_engine.transport.address import Address, AddressFile, reachable

ADDRESS = Address("ws://127.0.0.1:1", "http://127.0.0.1:2", "engine-1", 7)


@pytest.mark.parametrize(
    ("host", "shown"),
    [
        ("127.0.0.1", "127.0.0.1:80"),
        ("0.0.0.0", "127.0.0.1:80"),
        ("", "127.0.0.1:80"),
        ("::", "[::1]:80"),
        ("fe80::1", "[fe80::1]:80"),
        ("engine.local", "engine.local:80"),
    ],
)
def test_the_address_is_one_that_can_be_dialled(host: str, shown: str) -> None:
    assert reachable(host, 80) == shown


def test_the_file_is_whole_replaced_and_removed(tmp_path: Path) -> None:
    file = AddressFile(tmp_path)
    file.remove()
    file.write(Address("ws://127.0.0.1:9", "http://127.0.0.1:9", "engine-1", 6))
    file.write(ADDRESS)
    assert json.loads((tmp_path / "address.json").read_text()) == {
        "socket": "ws://127.0.0.1:1",
        "http": "http://127.0.0.1:2",
        "engine_id": "engine-1",
        "pid": 7,
    }
    assert [path.name for path in tmp_path.iterdir()] == ["address.json"]
    file.remove()
    assert list(tmp_path.iterdir()) == []


def test_an_engine_that_lost_its_data_leaves_the_other_ones_file(tmp_path: Path) -> None:
    file = AddressFile(tmp_path)
    file.withdraw(7)
    file.write(ADDRESS)
    file.withdraw(6)
    assert (tmp_path / "address.json").exists()
    (tmp_path / "address.json").write_text("[]")
    file.withdraw(7)
    file.write(ADDRESS)
    file.withdraw(7)
    assert list(tmp_path.iterdir()) == []
