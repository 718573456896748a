"""The shipped example: a report on a web server log, run in the real engine and checked against awk."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from shared.contract.run import NodeStatus, RunMode, RunStatus

EXAMPLES = Path(__file__).parents[3] / "examples"
LOG = EXAMPLES / "data" / "access.log"
WORKFLOW: dict[str, Any] = json.loads((EXAMPLES / "web-log-report.json").read_bytes())

# An own reading of the combined format, in another language than the engine's: what does not fit is malformed.
GOOD = (
    r"/^[0-9A-Fa-f.:]+ [^ ]+ [^ ]+ \[[0-9][0-9]\/[A-Z][a-z][a-z]\/[0-9][0-9][0-9][0-9]:[0-9][0-9]:[0-9][0-9]:[0-9][0-9]"
    r' [+-][0-9][0-9][0-9][0-9]\] "[A-Z]+ [^ ?"]+(\?[^ "]*)? HTTP\/[0-9.]+" [1-5][0-9][0-9] ([0-9]+|-)'
    r'( "[^"]*" "[^"]*")?$/'
)
SPLIT = 'split($7, target, "?"); page = target[1]; bytes = ($10 == "-") ? 0 : $10; hour = substr($4, 2, 14);'


def awk(program: str, log: Path) -> list[list[str]]:
    """Run an awk program over the good lines of the log and return its lines, split at tabs."""
    text = f"{GOOD} {{ {SPLIT} {program}"
    done = subprocess.run(
        ["awk", text, str(log)],
        capture_output=True,
        check=True,
        timeout=60,
        env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"},
    )
    return [line.split("\t") for line in done.stdout.decode().splitlines()]


def counted(key: str, log: Path) -> dict[str, tuple[int, int]]:
    """Return requests and bytes by a key, worked out by awk."""
    program = (
        f'n[{key}]++; b[{key}] += bytes }} END {{ for (k in n) printf "%s\\t%d\\t%d\\n", k, n[k], b[k] }}'
    )
    return {name: (int(requests), int(size)) for name, requests, size in awk(program, log)}


def table(report: str, heading: str) -> list[list[str]]:
    """Return the rows of the first Markdown table below a heading."""
    below = report.split(f"{heading}\n", 1)[1]
    rows = re.search(r"\n\|[-:| ]+\|\n((?:\|.*\n)*)", below)
    assert rows is not None
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in rows[1].splitlines()]


def read(path: Path) -> str:
    return path.read_text()


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def number(text: str) -> int:
    return int(text.replace(",", ""))


@pytest.fixture
def log(root: Path) -> Path:
    copy = root / "access.log"
    copy.write_bytes(LOG.read_bytes())
    return copy


async def run_report(engine, log: Path, mode: RunMode = RunMode.EXECUTE):
    return await engine.run(WORKFLOW, {"input": str(log), "output": "out/report.md"}, mode)


def test_the_log_is_what_its_script_makes_and_is_like_a_real_one() -> None:
    spec = importlib.util.spec_from_file_location("make_access_log", EXAMPLES / "data" / "make_access_log.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    content = LOG.read_bytes()
    assert module.make() == content
    assert content.count(b"\n") >= 20_000
    assert len(content) < 4_000_000
    good = int(awk("n++ } END { print n }", LOG)[0][0])
    assert 0.002 < 1 - good / content.count(b"\n") < 0.01


def test_the_workflow_is_readable_by_people() -> None:
    nodes = WORKFLOW["nodes"]
    assert 8 <= len(nodes) <= 12
    assert len({node["name"] for node in nodes}) == len(nodes)
    places = {(node["x"], node["y"]) for node in nodes}
    assert len(places) == len(nodes)
    by_id = {node["id"]: node for node in nodes}
    for edge in WORKFLOW["connections"]:
        assert by_id[edge["source"]]["x"] < by_id[edge["target"]]["x"], edge


async def test_the_report_says_what_awk_says(engine, root: Path, log: Path) -> None:
    assert engine.service.validate(WORKFLOW) == []
    details, frames = await run_report(engine, log)
    assert details.run.status is RunStatus.SUCCEEDED, details
    report = read(root / "out" / "report.md")

    lines = log.read_bytes().count(b"\n")
    ((good, total_bytes),) = awk('n++; b += bytes } END { printf "%d\\t%d\\n", n, b }', log)
    summary = dict(row for row in table(report, "# Web server report"))
    assert number(summary["Lines read"]) == lines
    assert number(summary["Requests"]) == int(good)
    assert number(summary["Malformed lines"]) == lines - int(good) > 50
    assert number(summary["Bytes sent"]) == int(total_bytes)

    pages = counted("page", log)
    assert number(summary["Different pages"]) == len(pages)
    shown = [(row[0].replace("\\", ""), number(row[1]), number(row[2])) for row in table(report, "## Pages")]
    assert (
        shown
        == sorted(((page, *figures) for page, figures in pages.items()), key=lambda row: (-row[1], row[0]))[
            :20
        ]
    )

    clients = counted("$1", log)
    assert number(summary["Different clients"]) == len(clients)
    shown = [(row[0], number(row[1]), number(row[2])) for row in table(report, "## Clients")]
    assert (
        shown
        == sorted(
            ((client, *figures) for client, figures in clients.items()), key=lambda row: (-row[1], row[0])
        )[:10]
    )

    classes = counted('substr($9, 1, 1) "xx"', log)
    shown_classes = {row[0]: number(row[1]) for row in table(report, "## Status classes")}
    assert shown_classes == {name: requests for name, (requests, _) in classes.items()}

    hours = {name: requests for name, (requests, _) in counted("hour", log).items()}
    shown_hours = {f"{row[0]}:{row[1][:2]}": number(row[2]) for row in table(report, "## Requests per hour")}
    assert shown_hours == hours
    assert len(hours) >= 12
    for label, wanted in (
        ("Busiest hour", max(hours.values())),
        ("Slowest hour (fewest requests)", min(hours.values())),
    ):
        day, clock, requests, _ = summary[label].split(" ")
        assert hours[f"{day}:{clock[:2]}"] == number(requests.strip("(")) == wanted

    failing = counted('($9 ~ /^5/) ? page : ""', log)
    failing.pop("")
    shown_failing = {
        row[0].replace("\\", ""): number(row[1])
        for row in table(report, "answers were server errors; the pages below gave them.")
    }
    assert len(shown_failing) == 10
    assert all(failing[page][0] == errors for page, errors in shown_failing.items())

    popup = next(frame for frame in frames if frame["type"] == "SHOW_DEBUG_POPUP")
    assert popup["content"] == report


async def test_both_kinds_of_lines_take_their_branch_and_one_of_two_ways_is_left_out(
    engine, log: Path
) -> None:
    details, _ = await run_report(engine, log)
    states = {node.node_id: node.status for node in details.nodes}
    assert states.pop("calm") is NodeStatus.SKIPPED
    assert set(states.values()) == {NodeStatus.SUCCESS}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not a log line\n\xff\xfe\n",
        b'192.0.2.1 - - [14/Mar/2026:18:00:03 +0000] "GET / HTTP/1.1" 200 -\n',
    ],
)
async def test_unusual_logs_give_a_report_too(engine, root: Path, log: Path, content: bytes) -> None:
    log.write_bytes(content)
    details, _ = await run_report(engine, log)
    assert details.run.status is RunStatus.SUCCEEDED, details
    report = read(root / "out" / "report.md")
    summary = dict(row for row in table(report, "# Web server report"))
    assert number(summary["Lines read"]) == content.count(b"\n")
    assert "None" not in report


async def test_a_hostile_line_does_not_break_the_table(engine, root: Path, log: Path) -> None:
    log.write_bytes(b'192.0.2.1 - - [14/Mar/2026:18:00:03 +0000] "GET /a|b`<script>*x* HTTP/1.1" 200 5\n')
    await run_report(engine, log)
    report = read(root / "out" / "report.md")
    assert "| /a\\|b\\`\\<script\\>\\*x\\* | 1 | 5 |" in report


async def test_simulating_the_report_writes_nothing(engine, root: Path, log: Path) -> None:
    details, _ = await run_report(engine, log, RunMode.SIMULATE)
    assert details.run.status is RunStatus.SUCCEEDED
    assert names(root) == ["access.log"]


async def test_a_log_outside_the_folders_is_refused(engine) -> None:
    details, _ = await run_report(engine, LOG)
    assert details.run.status is RunStatus.FAILED
    assert "outside the folders" in str(details.run.error_message)
