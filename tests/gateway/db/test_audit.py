"""What the audit log holds after real requests."""

from __future__ import annotations

from gateway.db import audit
from gateway.db.database import Database
from shared.signing.keys import WalletKey
from tests.gateway.support import Gateway


def test_acts_are_entered_by_whom_and_on_what(timed: Gateway, wallet: WalletKey, stranger: WalletKey) -> None:
    engine_id, token = timed.register_engine(wallet)
    timed.call(wallet, "PUT", f"/user/engines/{engine_id}/update-name", {"name": "n"})
    timed.call(stranger, "DELETE", f"/user/engines/{engine_id}")
    timed.call(wallet, "DELETE", f"/user/engines/{engine_id}")
    timed.call(wallet, "POST", "/auth/logout")
    me = wallet.address.lower()
    database = Database(f"sqlite:///{timed.folder / 'gateway' / 'gateway.db'}")
    with database.read() as connection:
        rows = connection.exec_driver_sql(
            "SELECT actor, action, subject FROM audit_log ORDER BY id"
        ).fetchall()
    assert [tuple(row) for row in rows] == [
        (me, "register", me),
        (me, "engine_register", engine_id),
        (me, "engine_rename", engine_id),
        (me, "engine_delete", engine_id),
        (me, "logout", me),
    ]
    with database.write() as connection:
        audit.purge(connection, timed.now() + audit.KEEP_MS + 1)
        assert connection.exec_driver_sql("SELECT count(*) FROM audit_log").scalar() == 0
    database.close()
    stored = b"".join(path.read_bytes() for path in (timed.folder / "gateway").iterdir())
    assert token.encode() not in stored
