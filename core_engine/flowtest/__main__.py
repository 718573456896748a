"""``python -m core_engine.flowtest``: test files as JSON on standard input, the report as JSON on standard output."""

from __future__ import annotations

import asyncio
import sys

from pydantic import ValidationError

from core_engine.flowtest.runner import run_files
from core_engine.kernel.payload import MAX_DEPTH
from shared.contract.flow_test import FlowTestJobs
from shared.errors import FloworkError
from shared.signing.strict_json import check_depth


def main() -> int:
    """Run what standard input holds; return 0 when there is a report, whatever it says."""
    raw = sys.stdin.buffer.read()
    try:
        check_depth(raw, MAX_DEPTH)
        jobs = FlowTestJobs.model_validate_json(raw)
    except (ValidationError, FloworkError) as error:
        print(f"The test files cannot be read: {error}", file=sys.stderr)  # noqa: T201 - nobody set up a log
        return 64
    report = asyncio.run(run_files(jobs.files))
    sys.stdout.write(report.model_dump_json())
    return 0


if __name__ == "__main__":
    sys.exit(main())
