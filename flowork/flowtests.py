"""Flow tests from files: found, read, handed to a process of the engine, and told about."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from pydantic import ValidationError

from flowork.supervisor.service import CHECKOUT
from flowork.terminal.files import read_object, read_workflow
from shared.contract.flow_test import FileReport, FlowTestFile, FlowTestJob, FlowTestJobs, FlowTestReport
from shared.errors import ErrorCode, FloworkError

SUFFIX = ".flowtest.json"
MODULE = "core_engine.flowtest"
MOST_FILES = 1000
LONGEST_SECONDS = 3600.0
_KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "VIRTUAL_ENV")
_LAST_WORDS = 2000


def find_files(paths: Sequence[str]) -> list[Path]:
    """Return the test files that are meant: files as they are named, and all in a folder and below; NOT_FOUND."""
    found: list[Path] = []
    for name in paths:
        path = Path(name)
        if path.is_dir():
            found += sorted(path.rglob(f"*{SUFFIX}"))
        elif path.is_file():
            found.append(path)
        else:
            raise FloworkError(ErrorCode.NOT_FOUND, f"There is no file or folder {name}.")
    if not found:
        raise FloworkError(ErrorCode.NOT_FOUND, f"There is no *{SUFFIX} in {', '.join(paths)}.")
    if len(found) > MOST_FILES:
        raise FloworkError(ErrorCode.INVALID_REQUEST, f"At most {MOST_FILES} test files run at once.")
    return list(dict.fromkeys(found))


def run_tests(paths: Iterable[Path], environ: Mapping[str, str]) -> FlowTestReport:
    """Run test files in a child process; a file that cannot be read is part of the report."""
    jobs: list[FlowTestJob] = []
    unread: dict[str, FileReport] = {}
    order = [str(path) for path in paths]
    for name in order:
        try:
            jobs.append(_read(Path(name)))
        except FloworkError as error:
            unread[name] = FileReport(path=name, problem=error.message)
    reports = {item.path: item for item in _call(FlowTestJobs(files=jobs), environ).files} if jobs else {}
    return FlowTestReport(files=[unread.get(name) or reports[name] for name in order])


def _read(path: Path) -> FlowTestJob:
    try:
        file = FlowTestFile.model_validate(read_object(str(path)))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise FloworkError(ErrorCode.INVALID_REQUEST, f"{where}: {first['msg']}") from error
    named = file.workflow
    workflow = read_workflow(str(path.parent / named)) if isinstance(named, str) else named
    return FlowTestJob(path=str(path), workflow=workflow, cases=file.cases)


def _call(jobs: FlowTestJobs, environ: Mapping[str, str]) -> FlowTestReport:
    """Run them beside this process, like the engine itself: nothing of the engine is loaded here."""
    kept = {name: environ[name] for name in _KEPT if name in environ}
    if (CHECKOUT / "pyproject.toml").is_file():  # run from a checkout that need not be installed
        kept["PYTHONPATH"] = str(CHECKOUT)
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", MODULE],
            input=jobs.model_dump_json(exclude_unset=True).encode(),
            capture_output=True,
            env=kept,
            timeout=LONGEST_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        message = f"The tests took longer than {LONGEST_SECONDS:g} s."
        raise FloworkError(ErrorCode.DEADLINE_EXCEEDED, message) from error
    if done.returncode:
        told = done.stderr.decode("utf-8", "replace")[-_LAST_WORDS:].strip()
        raise FloworkError(ErrorCode.INTERNAL, f"The tests could not be run: {told or os.strerror(1)}")
    return FlowTestReport.model_validate_json(done.stdout)


def junit(report: FlowTestReport) -> bytes:
    """Return the report as JUnit XML."""
    root = ET.Element("testsuites")
    for file in report.files:
        failures = sum(not case.passed for case in file.cases) + bool(file.problem)
        suite = ET.SubElement(
            root,
            "testsuite",
            name=_clean(file.path),
            tests=str(len(file.cases) or 1),
            failures=str(failures),
            time=str(round(sum(case.seconds for case in file.cases), 3)),
        )
        if file.problem:
            _add(suite, file.path, 0.0, [file.problem])
        for case in file.cases:
            lines = [
                f"{x.node_id or 'run'}: {x.path}: expected {x.expected}, got {x.actual}"
                for x in case.differences
            ]
            _add(suite, case.case_name, case.seconds, [case.problem, *lines] if case.problem else lines)
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))


def _add(suite: ET.Element, name: str, seconds: float, problems: Sequence[str]) -> None:
    case = ET.SubElement(suite, "testcase", name=_clean(name), time=str(seconds))
    if problems:
        failure = ET.SubElement(case, "failure", message=_clean(problems[0]))
        failure.text = _clean("\n".join(problems))


def _clean(text: str) -> str:
    """Return a text with only such signs as XML can hold."""
    return "".join(
        sign if sign in "\n\t" or sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text
    )


def passed(report: FlowTestReport) -> bool:
    """Tell whether everything went as expected."""
    return all(not file.problem and all(case.passed for case in file.cases) for file in report.files)


def totals(report: FlowTestReport) -> dict[str, Any]:
    """Return how many cases passed and failed; a file that cannot be read counts as one failure."""
    cases = [case.passed for file in report.files for case in file.cases]
    failed = cases.count(False) + sum(bool(file.problem) for file in report.files)
    return {"passed": cases.count(True), "failed": failed}
