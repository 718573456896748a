"""Limits of the engines' use cases that HTTP alone does not show."""

from __future__ import annotations

from gateway.db.database import Database
from gateway.resources.engines import queries
from gateway.resources.engines.service import MAX_ENGINES
from shared.signing.keys import WalletKey
from tests.gateway.support import Gateway


def test_one_owner_cannot_fill_the_database(timed: Gateway, wallet: WalletKey, stranger: WalletKey) -> None:
    database = Database(f"sqlite:///{timed.folder / 'gateway' / 'gateway.db'}")
    with database.write() as connection:
        for number in range(MAX_ENGINES):
            queries.add(
                connection,
                engine_id=f"e{number}",
                owner=wallet.address.lower(),
                name="x",
                token_hash=f"{number}",
                now_ms=1,
            )
    database.close()
    answer = timed.call(wallet, "POST", "/user/engines", {"name": "one more"})
    assert (answer.status_code, answer.json()["code"]) == (409, "CONFLICT")
    assert timed.call(stranger, "POST", "/user/engines", {"name": "theirs"}).status_code == 201


def test_guests_are_listed_after_the_owner(timed: Gateway, wallet: WalletKey) -> None:
    engine_id, token = timed.register_engine(wallet)
    database = Database(f"sqlite:///{timed.folder / 'gateway' / 'gateway.db'}")
    guests = ["0x" + digit * 40 for digit in "0f3"]
    with database.write() as connection:
        for guest in guests:
            connection.exec_driver_sql(
                "INSERT INTO engine_shares (engine_id, guest_address, role, created_ms) VALUES (?, ?, 'reader', 1)",
                (engine_id, guest),
            )
    database.close()
    headers = {"X-Engine-Id": engine_id, "X-Engine-Token": token}
    answer = timed.send("GET", "/api/v1/engine/get-engine-auth-info", headers=headers)
    assert answer.json() == [wallet.address.lower(), *sorted(guests)]
    assert timed.call(wallet, "DELETE", f"/user/engines/{engine_id}").status_code == 200


def test_the_list_knows_what_another_process_changed(timed: Gateway, wallet: WalletKey) -> None:
    engine_id, _ = timed.register_engine(wallet)

    def listed() -> list[str]:
        return [engine["name"] for engine in timed.call(wallet, "GET", "/user/engines").json()]

    before = listed()
    assert listed() == before
    database = Database(f"sqlite:///{timed.folder / 'gateway' / 'gateway.db'}")
    with database.write() as connection:
        assert queries.rename(connection, engine_id, wallet.address.lower(), "Renamed elsewhere")
    assert listed() == ["Renamed elsewhere"] != before
    with database.write() as connection:
        assert queries.remove(connection, engine_id, wallet.address.lower())
    assert listed() == []
    database.close()
