"""The PDF step on real documents."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fpdf import FPDF
from pypdf import PdfReader, PdfWriter

from core_engine.kernel.component import StepPolicy
from shared.contract.run import RunMode
from shared.errors import ErrorCode, FloworkError


def write(root: Path, name: str, *pages: str) -> None:
    document = FPDF()
    document.set_title("A title")
    document.set_font("helvetica", size=12)
    for text in pages:
        document.add_page()
        document.cell(text=text)
    document.output(str(root / name))


def texts(path: Path) -> list[str]:
    return [page.extract_text() for page in PdfReader(path).pages]


async def failure(run, config: dict[str, Any]) -> FloworkError:
    with pytest.raises(FloworkError) as caught:
        await run("pdf", config)
    return caught.value


async def test_text_and_facts_are_read(run, root: Path) -> None:
    write(root, "a.pdf", "one", "two", "three")
    data = (await run("pdf", {"paths": "a.pdf"})).outputs["success"].data
    assert (data["text"], data["page_count"]) == ("one\n\ntwo\n\nthree", 3)
    some = (await run("pdf", {"paths": ["a.pdf"], "pages": "3, 1-2"})).outputs["success"].data
    assert [(page["number"], page["text"]) for page in some["pages"]] == [
        (3, "three"),
        (1, "one"),
        (2, "two"),
    ]
    facts = (await run("pdf", {"paths": "a.pdf", "operation": "info"})).outputs["success"].data
    assert (facts["page_count"], facts["title"], facts["encrypted"]) == (3, "A title", False)
    assert round(facts["width"]) == 595


async def test_documents_are_merged_split_and_turned(run, root: Path) -> None:
    write(root, "a.pdf", "a1", "a2")
    write(root, "b.pdf", "b1", "b2", "b3")
    merge = {"operation": "merge", "paths": "a.pdf, b.pdf", "target": "out/all.pdf"}
    (file,) = (await run("pdf", merge)).outputs["success"].data["files"]
    assert texts(root / "out" / "all.pdf") == ["a1", "a2", "b1", "b2", "b3"]
    assert file["size_bytes"] == (root / "out" / "all.pdf").stat().st_size
    await run("pdf", {**merge, "pages": "2-", "target": "some.pdf"})
    assert texts(root / "some.pdf") == ["a2", "b2", "b3"]
    split = {"operation": "split", "paths": "out/all.pdf", "target": "part.pdf", "pages_per_file": 2}
    files = (await run("pdf", split)).outputs["success"].data["files"]
    assert [Path(file["path"]).name for file in files] == ["part-1.pdf", "part-2.pdf", "part-3.pdf"]
    assert texts(root / "part-3.pdf") == ["b3"]
    await run(
        "pdf", {"operation": "rotate", "paths": "a.pdf", "angle": "270", "target": "a.pdf", "pages": "1"}
    )
    assert [page.rotation for page in PdfReader(root / "a.pdf").pages] == [270]


async def test_repeating_it_leaves_the_same_file(run, root: Path) -> None:
    write(root, "a.pdf", "a1", "a2")
    config = {"operation": "merge", "paths": "a.pdf", "target": "b.pdf"}
    first = (await run("pdf", config)).outputs["success"].data["files"]
    assert (await run("pdf", config, attempt=2)).outputs["success"].data["files"] == first


@pytest.mark.parametrize("algorithm", ["RC4-128", "AES-256"])
async def test_a_protected_document_wants_its_password(run, root: Path, algorithm: str) -> None:
    write(root, "open.pdf", "secret text")
    writer = PdfWriter(clone_from=root / "open.pdf")
    writer.encrypt("right", algorithm=algorithm)
    writer.write(root / "a.pdf")
    config = {"paths": "a.pdf", "password": "wrong"}
    error = await failure(run, config)
    assert (error.code, "wrong" in error.message) == (ErrorCode.FORBIDDEN, False)
    data = (await run("pdf", config | {"password": "right"})).outputs["success"].data
    assert data["text"] == "secret text"


@pytest.mark.parametrize(
    ("config", "code"),
    [
        ({"paths": "../a.pdf"}, ErrorCode.FORBIDDEN),
        ({"paths": "none.pdf"}, ErrorCode.NOT_FOUND),
        ({"paths": "text.pdf"}, ErrorCode.UNSUPPORTED_MEDIA),
        ({"paths": "broken.pdf"}, ErrorCode.COMPONENT_FAILED),
        ({"paths": "a.pdf", "pages": "4"}, ErrorCode.INVALID_REQUEST),
        ({"paths": "a.pdf", "pages": "2-1"}, ErrorCode.INVALID_REQUEST),
        ({"paths": "a.pdf", "pages": "1-2-3"}, ErrorCode.INVALID_REQUEST),
        ({"paths": "a.pdf", "pages": "1,,2"}, ErrorCode.INVALID_REQUEST),
        ({"paths": "a.pdf", "max_pages": 2}, ErrorCode.TOO_LARGE),
        ({"paths": "a.pdf", "max_mib": 0.00001}, ErrorCode.TOO_LARGE),
        ({"paths": "a.pdf, a.pdf"}, ErrorCode.INVALID_REQUEST),
        ({"paths": "a.pdf", "operation": "merge"}, ErrorCode.INVALID_REQUEST),
        ({"paths": "a.pdf", "operation": "rotate", "target": "x.txt"}, ErrorCode.INVALID_REQUEST),
        (
            {"paths": "a.pdf, a.pdf", "operation": "merge", "target": "x.pdf", "max_pages": 5},
            ErrorCode.TOO_LARGE,
        ),
        ({"paths": "a.pdf", "operation": "merge", "target": "../x.pdf"}, ErrorCode.FORBIDDEN),
    ],
)
async def test_what_cannot_be_done_is_said(run, root: Path, config, code: ErrorCode) -> None:
    write(root, "a.pdf", "1", "2", "3")
    (root / "text.pdf").write_text("no document")
    (root / "broken.pdf").write_bytes(b"%PDF-1.7\n" + b"\0" * 100)
    error = await failure(run, config)
    assert error.code is code, error.message
    assert not (root / "x.pdf").exists()


async def test_simulating_writes_nothing(run, root: Path) -> None:
    config = {"operation": "merge", "paths": "a.pdf", "target": "b.pdf"}
    assert (await run("pdf", config, mode=RunMode.SIMULATE)).outputs["success"].data["simulated"]
    write(root, "a.pdf", "text")
    read = await run("pdf", {"paths": "a.pdf"}, mode=RunMode.SIMULATE)
    assert read.outputs["success"].data["text"] == "text"
    assert [path.name for path in root.iterdir()] == ["a.pdf"]


def test_only_writing_is_more_than_reading(registry) -> None:
    component = registry.find("pdf")
    policies = [
        component.policy_for(component.parse_config({"paths": "a", "operation": operation}))
        for operation in ("text", "info", "merge")
    ]
    assert policies == [StepPolicy.REPEATABLE, StepPolicy.REPEATABLE, StepPolicy.KEYED]
