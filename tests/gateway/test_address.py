"""Where a running gateway can be reached."""

from __future__ import annotations

import json
from pathlib import Path

from gateway import address, startup
from tests.gateway.support import settings


def test_addresses_by_which_this_machine_reaches_it() -> None:
    assert address.url_of("127.0.0.1", 8000) == "http://127.0.0.1:8000"
    assert address.url_of("0.0.0.0", 80) == "http://127.0.0.1:80"
    assert address.url_of("::", 80) == "http://[::1]:80"
    assert address.url_of("gw.internal", 80) == "http://gw.internal:80"


def test_the_address_is_written_whole_and_taken_back(tmp_path: Path) -> None:
    given = settings(tmp_path)
    startup.open_database(given).close()
    address.announce(given, "127.0.0.1", 1)
    address.announce(given, "127.0.0.1", 2)
    assert json.loads((tmp_path / "gateway" / "address.json").read_text()) == {"url": "http://127.0.0.1:2"}
    address.withdraw(given)
    address.withdraw(given)
    assert [path.name for path in (tmp_path / "gateway").iterdir() if "address" in path.name] == []
