"""The components that read and write CSV and Excel."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from pydantic import ValidationError

from core_engine.components.builtin.excel_read import guard
from core_engine.kernel.component import StepPolicy
from core_engine.kernel.payload import Payload
from shared.contract.run import RunMode
from shared.errors import ErrorCode, FloworkError


async def read(run, text, **config):
    return (await run("csv_read", config, {"text": text})).outputs["success"].data


async def write(run, records, **config) -> str:
    return (await run("csv_write", config, records)).outputs["success"].data["text"]


async def test_csv_becomes_records(run) -> None:
    payload = Payload({"text": 'name,note\nAyu,"a, ""b""\nc"\n\nBüdi\n', "x": 1}, ["h"])
    result = await run("csv_read", {}, payload)
    assert result.outputs["success"].history == ["h"]
    data = result.outputs["success"].data
    assert data["records"] == [{"name": "Ayu", "note": 'a, "b"\nc'}, {"name": "Büdi", "note": None}]
    assert (data["columns"], data["count"], data["x"]) == (["name", "note"], 2, 1)


@pytest.mark.parametrize(
    ("text", "config", "expected"),
    [
        ("a;b\n1;2,5", {}, [{"a": "1", "b": "2,5"}]),
        ("\ufeffa\tb\n1\t2", {}, [{"a": "1", "b": "2"}]),
        ("a|b\r\n1|2\r\n", {"delimiter": "pipe"}, [{"a": "1", "b": "2"}]),
        ("a,'b,c'\n1,2", {"quote": "single"}, [{"a": "1", "b,c": "2"}]),
        ('a\n"x', {"quote": "none"}, [{"a": '"x'}]),
        (
            "1,2\n3,4",
            {"header": False},
            [{"column_1": "1", "column_2": "2"}, {"column_1": "3", "column_2": "4"}],
        ),
        ("x,y\n1,2", {"columns": "p, q"}, [{"p": "1", "q": "2"}]),
        ("1,2", {"columns": "p, q", "header": False}, [{"p": "1", "q": "2"}]),
        ("a,a,,a_2\n1,2,3,4", {}, [{"a": "1", "a_2": "2", "column_3": "3", "a_2_2": "4"}]),
        ("junk\nmore\na\n1", {"skip_rows": 2}, [{"a": "1"}]),
        ("a\n1,2,3", {"long_rows": "cut"}, [{"a": "1"}]),
        ("a,b\n", {}, []),
        ("", {}, []),
    ],
)
async def test_csv_in_many_forms(run, text: str, config, expected) -> None:
    assert (await read(run, text, **config))["records"] == expected


async def test_types_are_guessed_only_when_asked(run) -> None:
    text = "v\n1\n-2.5\n007\n+62\ntrue\nNULL\n1e5\n12345678901234567890\n 3 \n٣\nx"
    guessed = [row["v"] for row in (await read(run, text, types="guess"))["records"]]
    assert guessed == [1, -2.5, "007", "+62", True, None, "1e5", "12345678901234567890", 3, "٣", "x"]
    assert {type(row["v"]) for row in (await read(run, text))["records"]} == {str}


@pytest.mark.parametrize(
    ("text", "config", "hint"),
    [
        ("a\n1,2", {}, "Line 2 has 2 values"), ("a\n1\n2\n3", {"max_rows": 2}, "more than 2 rows"),
        ('a\n"x', {}, "Line 2 is not CSV"), ("a\n" + "x" * 200_000, {}, "not CSV"),
        ("a\n" + "x" * 2_000_000, {"max_mib": 1}, "larger than 1 MiB"), ("," * 3000, {}, "2000 values"),
    ],
)  # fmt: skip
async def test_csv_that_does_not_fit_says_why(run, text: str, config, hint: str) -> None:
    with pytest.raises(FloworkError, match=hint):
        await read(run, text, **config)


async def test_csv_files_are_read_inside_the_roots_only(run, root: Path) -> None:
    (root / "a.csv").write_bytes("stadt\nKöln".encode("cp1252"))
    config = {"path": "a.csv", "encoding": "cp1252"}
    assert (await run("csv_read", config)).outputs["success"].data["records"] == [{"stadt": "Köln"}]
    with pytest.raises(FloworkError, match="byte 7 is no character"):
        await run("csv_read", {"path": "a.csv"})
    for path in ("../a.csv", "/etc/passwd", ".hidden"):
        with pytest.raises(FloworkError) as caught:
            await run("csv_read", {"path": path})
        assert caught.value.code is ErrorCode.FORBIDDEN


async def test_records_become_csv_and_back(run) -> None:
    rows = [{"a": 'q"x', "b": 1}, {"b": None, "c": [1, "é"]}, {"a": "line\nbreak", "b": True}]
    text = await write(run, {"records": rows})
    assert text == 'a,b,c\n"q""x",1,\n,,"[1, ""é""]"\n"line\nbreak",true,\n'
    assert (await read(run, text))["records"][0] == {"a": 'q"x', "b": "1", "c": ""}
    assert (
        await write(run, rows, columns="c,b", header=False, delimiter="semicolon")
        == ';1\n"[1, ""é""]";\n;true\n'
    )
    assert await write(run, [[1, "x"], []], quote="all", line_end="crlf") == '"1","x"\r\n\r\n'
    assert await write(run, []) == ""


FORMULAS = ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "  =1", "＝1"]  # noqa: RUF001


async def test_formulas_are_made_harmless_unless_told_otherwise(run) -> None:
    rows = [{"=h": value} for value in [*FORMULAS, "-5", "+62.5", "a=b", -5]]
    cells = [row["'=h"] for row in (await read(run, await write(run, rows), quote="double"))["records"]]
    assert cells == [*(f"'{value}" for value in FORMULAS), "-5", "+62.5", "a=b", "-5"]
    assert (await write(run, rows[:1], protect_formulas=False)) == "=h\n=1+1\n"


async def test_csv_files_are_written_whole_and_only_in_earnest(run, registry, root: Path) -> None:
    config = {"to": "file", "path": "out/a.csv", "byte_order_mark": True}
    data = (await run("csv_write", config, [{"é": 1}], mode=RunMode.SIMULATE)).outputs["success"].data
    assert not list(root.iterdir())
    receipt = (await run("csv_write", config, [{"é": 1}], mode=RunMode.EXECUTE)).outputs["success"].data
    assert (root / "out" / "a.csv").read_bytes() == "\ufeffé\n1\n".encode()
    assert (receipt["count"], receipt["sha256"]) == (1, data["sha256"])
    component = registry.find("csv_write")
    assert component.policy_for(component.parse_config(config)) is StepPolicy.KEYED
    assert component.policy_for(component.parse_config({})) is StepPolicy.REPEATABLE


async def test_rows_must_be_rows(run) -> None:
    for component, config in (("csv_write", {}), ("excel_write", {"path": "a.xlsx"})):
        with pytest.raises(FloworkError, match="A row is neither"):
            await run(component, config, [1])


ROWS = [
    {"name": "Äyu 漢", "n": 1.5, "whole": 7, "ok": True, "none": None, "list": [1], "formula": "=1+1"},
    {"name": "http://x.example", "n": -1, "big": 2**60},
]


async def test_excel_is_written_and_read_back(run, root: Path) -> None:
    config = {"path": "a.xlsx", "sheet": "Größen"}
    first = (await run("excel_write", config, ROWS)).outputs["success"].data
    again = (await run("excel_write", config, ROWS)).outputs["success"].data
    assert first == again  # a step that is tried again leaves the same file
    data = (await run("excel_read", {"path": "a.xlsx"})).outputs["success"].data
    assert (data["sheets"], data["count"]) == (["Größen"], 2)
    assert data["columns"] == ["name", "n", "whole", "ok", "none", "list", "formula", "big"]
    assert data["records"] == [
        {**ROWS[0], "list": "[1]", "big": None},
        {**dict.fromkeys(data["columns"]), **ROWS[1], "big": str(2**60)},
    ]


async def test_excel_can_be_read_from_a_row_on(run) -> None:
    await run(
        "excel_write", {"path": "a.xlsx", "header": False}, [["title"], ["k", "k"], [1, 2], [None], [3]]
    )
    for config, expected in (
        ({"skip_rows": 1}, [{"k": 1, "k_2": 2}, {"k": 3, "k_2": None}]),
        (
            {"skip_rows": 2, "header": False},
            [{"column_1": 1, "column_2": 2}, {"column_1": 3, "column_2": None}],
        ),
        ({"skip_rows": 1, "columns": "a"}, [{"a": 1, "column_2": 2}, {"a": 3, "column_2": None}]),
    ):
        assert (await run("excel_read", {"path": "a.xlsx", **config})).outputs["success"].data[
            "records"
        ] == expected


async def test_dates_in_excel_become_iso(run, root: Path) -> None:
    from datetime import datetime

    import xlsxwriter

    with xlsxwriter.Workbook(root / "d.xlsx") as book:
        book.add_worksheet().write_datetime(
            0,
            0,
            datetime.fromisoformat("2026-03-01T08:30"),
            book.add_format({"num_format": "d mmm yyyy hh:mm"}),
        )
    config = {"path": "d.xlsx", "header": False}
    assert (await run("excel_read", config)).outputs["success"].data["records"] == [
        {"column_1": "2026-03-01T08:30:00"}
    ]


async def test_excel_that_cannot_be_read_says_why(run, root: Path) -> None:
    await run("excel_write", {"path": "a.xlsx"}, [{"a": number} for number in range(5)])
    with pytest.raises(FloworkError, match="no sheet 'X'; there are Sheet1"):
        await run("excel_read", {"path": "a.xlsx", "sheet": "X"})
    with pytest.raises(FloworkError, match="more than 2 rows"):
        await run("excel_read", {"path": "a.xlsx", "max_rows": 2})
    (root / "b.xlsx").write_bytes(b"PK\x03\x04 broken")
    with pytest.raises(FloworkError, match="not a workbook"):
        await run("excel_read", {"path": "b.xlsx"})
    with zipfile.ZipFile(root / "c.xlsx", "w") as archive:
        archive.writestr("hello.txt", "x")
    with pytest.raises(FloworkError, match="cannot be read as a workbook"):
        await run("excel_read", {"path": "c.xlsx"})
    with pytest.raises(FloworkError, match="32767 characters"):
        await run("excel_write", {"path": "a.xlsx"}, [{"a": "x" * 32_768}])


def changed(root: Path, part: str, old: bytes, new: bytes) -> bytes:
    """Return the workbook with a piece of one of its parts replaced."""
    stream = io.BytesIO()
    with (
        zipfile.ZipFile(root / "a.xlsx") as source,
        zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for name in source.namelist():
            content = source.read(name)
            assert name != part or old in content
            target.writestr(name, content.replace(old, new) if name == part else content)
    return stream.getvalue()


SHEET, STRINGS = "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"


async def test_workbooks_that_would_fill_the_memory_are_refused(run, root: Path, monkeypatch) -> None:
    await run("excel_write", {"path": "a.xlsx"}, [{"a": "text"}])
    for new in (b'r="XFD1048576"', b"r = 'XFD1048576'", b'r="&#88;FD1048576"'):
        (root / "bomb.xlsx").write_bytes(changed(root, SHEET, b'r="A2"', new))
        with pytest.raises(FloworkError) as caught:
            await run("excel_read", {"path": "bomb.xlsx"})
        assert caught.value.code is ErrorCode.TOO_LARGE
    monkeypatch.setattr(guard, "_MOST_TEXT", 200_000)
    repeated = b"".join(b'<c r="A%d" t="s"><v>1</v></c>' % number for number in range(2, 12))
    stream = changed(root, STRINGS, b"<t>text</t>", b"<t>" + b"x" * 30_000 + b"</t>")
    (root / "a.xlsx").write_bytes(stream)
    guard.refuse_bombs(stream)
    with pytest.raises(FloworkError, match="repeat too much text"):
        guard.refuse_bombs(changed(root, SHEET, b'<c r="A2" t="s"><v>1</v></c>', repeated))
    monkeypatch.setattr(guard, "_MOST_BYTES", 1000)
    with pytest.raises(FloworkError, match="too large when unpacked"):
        guard.refuse_bombs(stream)


async def test_simulating_excel_writes_nothing(run, root: Path) -> None:
    data = (
        (await run("excel_write", {"path": "x/a.xlsx"}, ROWS, mode=RunMode.SIMULATE)).outputs["success"].data
    )
    assert data["simulated"] is True
    assert not list(root.iterdir())


async def test_large_tables_are_no_trouble(run) -> None:
    rows = [{"id": number, "name": f"name {number}"} for number in range(100_000)]
    text = await write(run, rows)
    data = await read(run, text, types="guess")
    assert data["records"] == rows
    await run("excel_write", {"path": "a.xlsx"}, rows[:20_000])
    assert (await run("excel_read", {"path": "a.xlsx"})).outputs["success"].data["records"] == rows[:20_000]


@pytest.mark.parametrize(
    ("component", "wrong", "field"),
    [
        ("csv_read", {"delimiter": "x"}, "delimiter"), ("csv_read", {"max_rows": 0}, "max_rows"),
        ("csv_read", {"encoding": "rot13"}, "encoding"), ("csv_write", {"quote": "no"}, "quote"),
        ("excel_read", {}, "path"), ("excel_write", {"path": "a", "sheet": "a/b"}, "sheet"),
        ("excel_write", {"path": "a", "sheet": "x" * 32}, "sheet"),
    ],
)  # fmt: skip
def test_wrong_settings_name_their_field(registry, component: str, wrong, field: str) -> None:
    with pytest.raises(ValidationError) as caught:
        registry.find(component).parse_config(wrong)
    assert caught.value.errors()[0]["loc"][0] == field
    with pytest.raises(ValidationError, match="needs its path"):
        registry.find("csv_write").parse_config({"to": "file"})
