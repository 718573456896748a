"""``flowork test`` on files: the examples of docs/workflows/flow-tests.md, and what is wrong with files."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner, Result

from flowork.cli import cli
from flowork.flowtests import find_files, junit, passed, totals
from shared.contract.flow_test import CaseReport, Difference, FileReport, FlowTestReport
from shared.errors import ErrorCode, FloworkError

PAGE = Path(__file__).resolve().parents[2] / "docs" / "workflows" / "flow-tests.md"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FLOWORK_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ENGINE_SOCKET_PORT", "not a port: settings of engines do not matter here")


def flowork(*words: str) -> Result:
    return CliRunner().invoke(cli, ["test", *words])


def examples() -> tuple[dict[str, Any], dict[str, Any]]:
    workflow, tests = re.findall(r"```json\n(.*?)```", PAGE.read_text(), re.DOTALL)
    return json.loads(workflow), json.loads(tests)


def write(folder: Path, tests: Any, workflow: Any = None) -> Path:
    folder.mkdir(exist_ok=True)
    if workflow is not None:
        (folder / "orders.json").write_text(json.dumps(workflow))
    path = folder / "orders.flowtest.json"
    path.write_text(json.dumps(tests))
    return path


def test_the_examples_of_the_page_pass(tmp_path: Path) -> None:
    workflow, tests = examples()
    write(tmp_path / "flows", tests, workflow)
    result = flowork("flows", "--junit", "report.xml")
    assert result.exit_code == 0, result.output
    assert result.stdout.count("  ok ") == 2
    assert "2 passed, 0 failed." in result.stderr
    suite = ET.parse("report.xml").getroot()[0]
    assert (suite.get("tests"), suite.get("failures")) == ("2", "0")


def test_a_difference_is_shown_with_its_node_and_the_exit_code_is_1(tmp_path: Path) -> None:
    workflow, tests = examples()
    tests["cases"][0]["expect"]["nodes"]["add"]["data"]["shop"] = "Medan"
    path = write(tmp_path / "flows", tests, workflow)
    result = flowork(str(path))
    assert result.exit_code == 1
    for line in ("FAILED the total is kept", "add: data.shop", 'expected "Medan"', 'got      "Bandung"'):
        assert line in result.stdout
    told = json.loads(flowork(str(path), "--json").stdout)
    assert [case["passed"] for case in told["files"][0]["cases"]] == [False, True]


@pytest.mark.parametrize(
    ("tests", "problem"),
    [
        ({"workflow": "none.json", "cases": [{"name": "a"}]}, "There is no file"),
        ({"workflow": {}, "cases": []}, "cases"),
        ({"workflow": {}, "cases": [{"name": "a", "expects": {}}]}, "cases.0.expects"),
        ([], "object"),
    ],
)
def test_a_file_that_cannot_be_read_fails_and_the_others_run(
    tmp_path: Path, tests: Any, problem: str
) -> None:
    write(tmp_path / "flows", tests)
    (tmp_path / "flows" / "z.flowtest.json").write_text(
        json.dumps({"workflow": examples()[0], "cases": examples()[1]["cases"][1:]})
    )
    result = flowork("flows")
    assert result.exit_code == 1
    assert problem in result.stdout
    assert "1 passed, 1 failed." in result.stderr


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    assert flowork().exit_code == FloworkError(ErrorCode.INVALID_REQUEST, "x").meaning.exit
    (tmp_path / "empty").mkdir()
    for name in ("nowhere", "empty"):
        assert flowork(name).exit_code == FloworkError(ErrorCode.NOT_FOUND, "x").meaning.exit
    (tmp_path / "a.flowtest.json").write_text("{}")
    assert find_files([".", "a.flowtest.json"]) == [Path("a.flowtest.json")]


def test_junit_holds_every_failure_and_no_control_signs() -> None:
    wrong = Difference(node_id="n", path="data", expected="1", actual="\x1b[2J")
    case = CaseReport(name="c\x00", passed=False, differences=[wrong])
    report = FlowTestReport(
        files=[FileReport(path="a", cases=[case]), FileReport(path="b", problem="unreadable")]
    )
    first, second = ET.fromstring(junit(report))
    assert first[0].get("name") == "c\N{REPLACEMENT CHARACTER}"
    assert (first[0][0].text or "").startswith("n: data: expected 1, got ")
    assert second[0][0].get("message") == "unreadable"
    assert not passed(report)
    assert totals(report) == {"passed": 0, "failed": 2}
