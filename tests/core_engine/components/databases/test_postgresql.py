"""SQL steps on a real PostgreSQL server."""

from __future__ import annotations

import asyncio
import socket
import threading
from contextlib import suppress

import pytest

from shared.errors import ErrorCode, FloworkError

EVERYTHING = """
SELECT 1::int AS i, 2.5::float8 AS f, 10::numeric AS whole, 1.10::numeric AS exact,
  123456789012345678901234567890::numeric AS large, 'NaN'::float8 AS nan, true AS b, NULL AS n,
  DATE '2026-02-03' AS d, TIMESTAMPTZ '2026-02-03 04:05:06Z' AS t, INTERVAL '90 s' AS s, 'a%b'::text AS text,
  '{"a": [1]}'::jsonb AS j, ARRAY[1, 2] AS list, '\\x00ff'::bytea AS raw,
  '00000000-0000-0000-0000-000000000001'::uuid AS u, '10.0.0.1'::inet AS ip
"""


def test_every_type_becomes_json(postgres, ask) -> None:
    (row,) = ask(postgres.url, EVERYTHING, timeout_seconds=60)["rows"]
    assert row == {
        "i": 1, "f": 2.5, "whole": 10, "exact": 1.1, "large": "123456789012345678901234567890", "nan": "nan",
        "b": True, "n": None, "d": "2026-02-03", "t": row["t"], "s": 90.0, "text": "a%b", "j": {"a": [1]},
        "list": [1, 2], "raw": "AP8=", "u": "00000000-0000-0000-0000-000000000001", "ip": "10.0.0.1",
    }  # fmt: skip
    assert row["t"].startswith("2026-02-0")


def test_values_are_bound(postgres, ask) -> None:
    for evil in ("'; DROP TABLE x; --", "%s", "%(a)s", "$1", ":b"):
        assert ask(postgres.url, "SELECT CAST(:a AS text) AS a", {"a": evil})["rows"] == [{"a": evil}]
    query = "SELECT n FROM generate_series(1, 5) AS n WHERE n IN :some"
    assert ask(postgres.url, query, {"some": [2, 4, 9]})["row_count"] == 2


@pytest.mark.parametrize(
    "change",
    [
        "INSERT INTO kept VALUES (2)", "DELETE FROM kept", "DROP TABLE kept", "CREATE TABLE more (a int)",
        "WITH gone AS (DELETE FROM kept RETURNING a) SELECT * FROM gone",
        "SELECT 1; DELETE FROM kept", "COMMIT; DELETE FROM kept", "SET TRANSACTION READ WRITE; DELETE FROM kept",
        "SELECT set_config('transaction_read_only', 'off', false), harm()",
        "DO $$ BEGIN SET TRANSACTION READ WRITE; DELETE FROM kept; END $$",
    ],
)  # fmt: skip
def test_reading_changes_nothing(postgres, ask, change: str) -> None:
    with postgres.connect() as connection:
        connection.execute("CREATE TABLE kept (a int)")
        connection.execute("INSERT INTO kept VALUES (1)")
        connection.execute(
            "CREATE FUNCTION harm() RETURNS int LANGUAGE plpgsql AS $$ BEGIN DELETE FROM kept; RETURN 1; END $$"
        )
    with pytest.raises(FloworkError) as caught:
        ask(postgres.url, change)
    assert caught.value.code is ErrorCode.COMPONENT_FAILED
    assert ask(postgres.url, "SELECT a FROM kept")["rows"] == [{"a": 1}]


@pytest.mark.parametrize("quiet", ["SET TRANSACTION READ WRITE", "COMMIT", "ROLLBACK"])
def test_a_statement_that_changes_only_the_session_leaves_nothing(postgres, ask, quiet: str) -> None:
    with suppress(FloworkError):
        ask(postgres.url, quiet)
    with pytest.raises(FloworkError):
        ask(postgres.url, "CREATE TABLE made (a int)")


def test_changes_and_bulk_inserts_are_one_transaction(postgres, ask, insert) -> None:
    ask(postgres.url, "CREATE TABLE orders (id int PRIMARY KEY, what jsonb, at date)", read_only=False)
    rows = [{"id": number, "what": {"n": number}, "at": "2026-01-02"} for number in range(3000)]
    assert insert(postgres.url, "public.orders", rows)["row_count"] == 3000
    with pytest.raises(FloworkError, match="duplicate key"):
        insert(postgres.url, "orders", [{"id": 9999}, {"id": 1}])
    assert ask(postgres.url, "SELECT count(*) AS n, max(id) AS m FROM orders")["rows"] == [
        {"n": 3000, "m": 2999}
    ]
    for _ in range(2):
        insert(
            postgres.url, "orders", [{"id": 1, "at": None}, {"id": 9999}], mode="upsert", key_columns=["id"]
        )
    query = "SELECT at FROM orders WHERE id = :id"
    assert ask(postgres.url, query, {"id": 1})["rows"] == [{"at": None}]
    insert(postgres.url, "orders", [{"id": 2, "at": None}], mode="ignore", key_columns=["id"])
    assert ask(postgres.url, query, {"id": 2})["rows"] == [{"at": "2026-01-02"}]
    answer = ask(postgres.url, "DELETE FROM orders WHERE id < 10 RETURNING id", read_only=False)
    assert answer["row_count"] == 10


def test_rows_are_streamed_and_bounded(postgres, ask, around) -> None:
    endless = "SELECT generate_series(1, 100000000) AS n, repeat('x', 1000) AS text"
    answer = ask(postgres.url, endless, max_rows=5)
    assert (answer["row_count"], answer["more"]) == (5, True)
    answer = ask(postgres.url, f"WITH all_of_it AS ({endless}) SELECT * FROM all_of_it", max_rows=5)
    assert (answer["row_count"], answer["more"]) == (5, True)
    answer = ask(postgres.url, endless, output="ndjson", path="big.ndjson", max_rows=3000, timeout_seconds=90)
    lines = (around.files.roots[0] / "big.ndjson").read_text().splitlines()
    assert (answer["row_count"], len(lines)) == (3000, 3000)


def test_a_slow_statement_ends_in_time(postgres, ask) -> None:
    with pytest.raises(FloworkError) as caught:
        ask(postgres.url, "SELECT pg_sleep(60)", timeout_seconds=1)
    assert caught.value.code is ErrorCode.COMPONENT_FAILED
    running = (
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE query LIKE '%pg_sleep(60)%' AND state = 'active' AND pid <> pg_backend_pid()"
    )
    with postgres.connect() as connection:
        assert connection.execute(running).fetchone() == (0,)


def test_an_error_tells_neither_password_nor_values(postgres, ask) -> None:
    wrong = postgres.url.replace("a%20test", "not%20the")
    with pytest.raises(FloworkError) as caught:
        ask(wrong, "SELECT 1")
    assert "not the" not in caught.value.message
    with pytest.raises(FloworkError) as caught:
        ask(postgres.url, "SELECT 1 FROM nowhere WHERE 'v' = :v", {"v": "a secret value"})
    assert "nowhere" in caught.value.message
    assert "secret" not in caught.value.message


async def test_a_server_that_keeps_silent_is_left_in_time(ask) -> None:
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        held: list[socket.socket] = []

        def accept() -> None:
            with suppress(OSError):
                while not stop.is_set():
                    held.append(listener.accept()[0])

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        url = f"postgresql://u:p@127.0.0.1:{listener.getsockname()[1]}/x"
        async with asyncio.timeout(60):
            with pytest.raises(FloworkError) as caught:
                await asyncio.to_thread(ask, url, "SELECT 1", timeout_seconds=1)
        assert caught.value.code is ErrorCode.COMPONENT_FAILED
        stop.set()
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(10)
    for made in held:
        made.close()
