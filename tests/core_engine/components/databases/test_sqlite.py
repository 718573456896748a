"""SQL steps on SQLite files: what they give back, and that they reach nothing but their one file."""

from __future__ import annotations

import csv
import json
import sqlite3
from pathlib import Path

import pytest

from core_engine.components.network import NetworkPolicy
from core_engine.kernel.component import StepPolicy
from core_engine.kernel.payload import Payload
from shared.errors import ErrorCode, FloworkError

URL = "sqlite:///shop.db"


@pytest.fixture
def shop(around) -> Path:
    """A small database inside the root."""
    path = around.files.roots[0] / "shop.db"
    with sqlite3.connect(path) as made:
        made.execute("CREATE TABLE fruit (name TEXT PRIMARY KEY, price REAL, note TEXT, data BLOB)")
        made.executemany(
            "INSERT INTO fruit VALUES (?, ?, ?, ?)",
            [
                ("apple", 1.5, None, b"\x00\xff"),
                ("fig", 0.5, 'it\'s "ripe"; --', None),
                ("pear", 2, "é", None),
            ],
        )
    made.close()
    return path


def test_rows_come_back_as_json(ask, shop) -> None:
    answer = ask(URL, "SELECT * FROM fruit WHERE price < :most ORDER BY name", {"most": 2})
    assert answer == {
        "columns": ["name", "price", "note", "data"],
        "row_count": 2,
        "more": False,
        "rows": [
            {"name": "apple", "price": 1.5, "note": None, "data": "AP8="},
            {"name": "fig", "price": 0.5, "note": 'it\'s "ripe"; --', "data": None},
        ],
    }
    assert ask(URL, "SELECT 1 AS a, 2 AS a")["rows"] == [{"a": 1, "a_2": 2}]


@pytest.mark.parametrize("evil", ["' OR 1=1 --", "'; DROP TABLE fruit; --", "{{ 7*7 }}", ":most", "%s", "\0"])
def test_values_are_bound_and_never_become_sql(ask, shop, evil: str) -> None:
    assert ask(URL, "SELECT * FROM fruit WHERE name = :name", {"name": evil})["row_count"] == 0
    assert ask(URL, "SELECT :name AS given", {"name": evil})["rows"] == [{"given": evil}]
    assert ask(URL, "SELECT count(*) AS n FROM fruit")["rows"] == [{"n": 3}]


def test_a_list_fills_an_in(ask, shop) -> None:
    query = "SELECT name FROM fruit WHERE name IN :names ORDER BY name"
    assert ask(URL, query, {"names": ["pear", "apple", "' OR 1"]})["row_count"] == 2
    assert ask(URL, query, {"names": []})["row_count"] == 0


@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM fruit", "UPDATE fruit SET price = 0", "DROP TABLE fruit", "CREATE TABLE more (a)",
        "INSERT INTO fruit (name) VALUES ('new')", "PRAGMA query_only = OFF", "PRAGMA user_version = 7",
        "INSERT INTO fruit (name) VALUES ('new') RETURNING name",
    ],
)  # fmt: skip
def test_reading_changes_nothing(ask, shop, change: str) -> None:
    before = shop.read_bytes()
    with pytest.raises(FloworkError) as caught:
        ask(URL, change)
    assert caught.value.code is ErrorCode.COMPONENT_FAILED
    assert shop.read_bytes() == before


def test_changes_are_made_when_they_are_wanted(ask, shop) -> None:
    answer = ask(URL, "UPDATE fruit SET price = price + 1 WHERE price > :p", {"p": 1}, read_only=False)
    assert answer["row_count"] == 2
    assert ask(URL, "SELECT sum(price) AS s FROM fruit")["rows"] == [{"s": 6.0}]
    with pytest.raises(FloworkError):
        ask(URL, "INSERT INTO fruit (name) SELECT 'x' || value FROM nothing", read_only=False)


@pytest.mark.parametrize(
    "statement",
    [
        "ATTACH DATABASE '{outside}' AS other", "VACUUM INTO '{outside}.copy'", "PRAGMA temp_store_directory = '/'",
        "PRAGMA journal_mode = DELETE", "SELECT load_extension('/tmp/evil')", "PRAGMA writable_schema = ON",
        "SELECT 'a' REGEXP '(a+)+$'", "SELECT 1; DROP TABLE fruit", "SELECT fts3_tokenizer('simple')",
        "SELECT readfile('/etc/passwd')", "SELECT writefile('{outside}', 'x')",
    ],
)  # fmt: skip
def test_nothing_but_the_one_file_is_reached(ask, shop, tmp_path: Path, statement: str) -> None:
    outside = tmp_path / "outside.db"
    sqlite3.connect(outside).close()
    for read_only in (True, False):
        with pytest.raises(FloworkError) as caught:
            ask(URL, statement.replace("{outside}", str(outside)), read_only=read_only)
        assert caught.value.code is ErrorCode.COMPONENT_FAILED
    assert not (tmp_path / "outside.db.copy").exists()
    assert outside.read_bytes() == b""
    assert ask(URL, "SELECT count(*) AS n FROM fruit")["rows"] == [{"n": 3}]


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("sqlite:////etc/passwd", ErrorCode.FORBIDDEN), ("sqlite:///../shop.db", ErrorCode.FORBIDDEN),
        ("sqlite:///none.db", ErrorCode.NOT_FOUND), ("sqlite://", ErrorCode.INVALID_REQUEST),
        ("sqlite:///:memory:", ErrorCode.INVALID_REQUEST), ("sqlite:///file:x?mode=rw", ErrorCode.INVALID_REQUEST),
        ("sqlite:///shop.db?uri=true", ErrorCode.INVALID_REQUEST), ("mysql://h/x", ErrorCode.INVALID_REQUEST),
        ("sqlite+pysqlcipher:///shop.db", ErrorCode.INVALID_REQUEST), ("nonsense", ErrorCode.INVALID_REQUEST),
        ("postgresql:///x", ErrorCode.INVALID_REQUEST), ("postgresql://u@h/x?host=/tmp", ErrorCode.INVALID_REQUEST),
        ("postgresql://u@/x?service=a", ErrorCode.INVALID_REQUEST),
        ("postgresql://u@h/x?sslkey=/etc/passwd", ErrorCode.INVALID_REQUEST),
    ],
)  # fmt: skip
def test_other_addresses_are_refused(ask, shop, url: str, code: ErrorCode) -> None:
    with pytest.raises(FloworkError) as caught:
        ask(url, "SELECT 1")
    assert caught.value.code is code


def test_a_link_out_of_the_root_is_refused(ask, around, tmp_path: Path) -> None:
    sqlite3.connect(tmp_path / "outside.db").close()
    (around.files.roots[0] / "link.db").symlink_to(tmp_path / "outside.db")
    with pytest.raises(FloworkError) as caught:
        ask("sqlite:///link.db", "SELECT 1")
    assert caught.value.code is ErrorCode.FORBIDDEN


ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT {} FROM n"


def test_an_endless_statement_ends_in_time(ask, shop) -> None:
    with pytest.raises(FloworkError, match=r"longer than 0\.3 s"):
        ask(URL, ENDLESS.format("count(*)"), timeout_seconds=0.3)


def test_rows_over_the_limit_are_not_fetched(ask, shop) -> None:
    answer = ask(URL, ENDLESS.format("i"), max_rows=7)
    assert [row["i"] for row in answer["rows"]] == [1, 2, 3, 4, 5, 6, 7]
    assert answer["more"]
    assert not ask(URL, "SELECT * FROM fruit", max_rows=3)["more"]
    with pytest.raises(FloworkError, match="write them to a file") as caught:
        ask(URL, ENDLESS.format("hex(zeroblob(1000000))"), max_rows=100)
    assert caught.value.code is ErrorCode.TOO_LARGE


@pytest.mark.parametrize("kind", ["ndjson", "csv"])
def test_many_rows_go_to_a_file(ask, shop, around, kind: str) -> None:
    query = ENDLESS.format("i, 'é,\"' || i AS text, NULL AS empty")
    answer = ask(URL, query, output=kind, path=f"out/rows.{kind}", max_rows=20_000)
    path = around.files.roots[0] / "out" / f"rows.{kind}"
    assert answer["row_count"] == 20_000
    assert answer["more"]
    assert answer["size_bytes"] == path.stat().st_size
    if kind == "ndjson":
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        assert rows[-1] == {"i": 20_000, "text": 'é,"20000', "empty": None}
    else:
        rows = list(csv.DictReader(path.read_text().splitlines()))
        assert rows[-1] == {"i": "20000", "text": 'é,"20000', "empty": ""}
    assert len(rows) == 20_000


def test_a_failed_export_leaves_the_old_file(ask, shop, around) -> None:
    path = around.files.roots[0] / "rows.ndjson"
    path.write_text("old")
    query = (
        ENDLESS.format("abs(i - 3000) / (i <> 3000)") + " WHERE abs(-9223372036854775807 - (i > 2999)) > 0"
    )
    with pytest.raises(FloworkError):
        ask(URL, query, output="ndjson", path="rows.ndjson", max_rows=1_000_000)
    assert path.read_text() == "old"
    assert sorted(entry.name for entry in path.parent.iterdir()) == ["rows.ndjson", "shop.db"]


def test_inserting_is_all_or_nothing(ask, insert, shop) -> None:
    rows = [{"name": f"n{number}", "price": number} for number in range(2500)]
    assert insert(URL, "fruit", rows) == {"table": "fruit", "row_count": 2500, "changed": 2500}
    with pytest.raises(FloworkError, match="UNIQUE") as caught:
        insert(URL, "fruit", [*({"name": f"m{number}"} for number in range(2000)), {"name": "fig"}])
    assert "m1" not in caught.value.message  # the values are not told
    assert ask(URL, "SELECT count(*) AS n FROM fruit")["rows"] == [{"n": 2503}]


def test_upsert_and_ignore_go_by_the_key(ask, insert, shop) -> None:
    rows = [{"name": "fig", "price": 9, "note": {"a": [1]}}, {"name": "new"}]
    insert(URL, "fruit", rows, mode="ignore", key_columns="name")
    assert ask(URL, "SELECT price FROM fruit WHERE name = 'fig'")["rows"] == [{"price": 0.5}]
    for _ in range(2):
        insert(URL, "fruit", rows, mode="upsert", key_columns="name")
        query = "SELECT name, price, note FROM fruit WHERE name IN ('fig', 'new') ORDER BY 1"
        assert ask(URL, query)["rows"] == [
            {"name": "fig", "price": 9.0, "note": '{"a": [1]}'}, {"name": "new", "price": None, "note": None},
        ]  # fmt: skip


def test_names_of_tables_and_columns_are_quoted(ask, insert, shop) -> None:
    for table, column in (("fruit; DROP TABLE fruit", "name"), ('fruit" --', "name"), ("fruit", 'name") --')):
        with pytest.raises(FloworkError) as caught:
            insert(URL, table, [{column: "x"}])
        assert caught.value.code is ErrorCode.COMPONENT_FAILED
    assert ask(URL, "SELECT count(*) AS n FROM fruit")["rows"] == [{"n": 3}]


@pytest.mark.parametrize("rows", ["text", [1], [{"a": 1}, []], [{}], [{"": 1}]])
def test_rows_that_are_none_are_refused(insert, shop, rows) -> None:
    with pytest.raises((FloworkError, ValueError)) as caught:
        insert(URL, "fruit", rows)
    assert getattr(caught.value, "code", ErrorCode.INVALID_REQUEST) is ErrorCode.INVALID_REQUEST


def test_the_policies_say_what_can_be_repeated(registry) -> None:
    query, insert = registry.find("sql_query"), registry.find("sql_insert")
    base = {"url": URL, "query": "SELECT 1"}
    assert query.policy_for(query.parse_config(base)) is StepPolicy.REPEATABLE
    assert query.policy_for(query.parse_config({**base, "output": "csv"})) is StepPolicy.KEYED
    assert query.policy_for(query.parse_config({**base, "read_only": False})) is StepPolicy.ONCE
    base = {"url": URL, "table": "t", "key_columns": "a"}
    assert insert.policy_for(insert.parse_config(base)) is StepPolicy.ONCE
    assert insert.policy_for(insert.parse_config({**base, "mode": "upsert"})) is StepPolicy.KEYED
    with pytest.raises(ValueError, match="needs key_columns"):
        insert.parse_config({"url": URL, "table": "t", "mode": "upsert"})


def test_simulating_touches_nothing(registry, around) -> None:
    query, insert = registry.find("sql_query"), registry.find("sql_insert")
    config = query.parse_config({"url": "postgresql://u@h.invalid/x", "query": "SELECT 1"})
    assert query.simulate(around, config, Payload({})).outputs["success"].data["rows"] == []
    config = insert.parse_config({"url": "postgresql://u@h.invalid/x", "table": "t"})
    assert insert.simulate(around, config, Payload([{"a": 1}])).outputs["success"].data["row_count"] == 1


def test_a_policy_without_private_networks_keeps_databases_out(ask) -> None:
    for host in ("127.0.0.1", "localhost", "169.254.169.254", "[::1]"):
        with pytest.raises(FloworkError) as caught:
            ask(f"postgresql://u:p@{host}/x", "SELECT 1", network=NetworkPolicy())
        assert caught.value.code is ErrorCode.FORBIDDEN
