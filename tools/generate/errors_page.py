"""docs/errors.md: the error table."""

from __future__ import annotations

from shared.errors import ERROR_TABLE

FILENAME = "docs/errors.md"

_HEAD = """# Errors

Generated from `shared/errors.py`. A REST answer is `{"error": text, "code": …, "details"?: …}`; a socket frame is
`{"type": "error", "code": …, "message": text, "details"?: …, "job_id"?: …, "request_id"?: …}`; the command line
prints the text and ends with the exit code. Branch on the code: texts may change.

| code | HTTP | exit | try again | meaning |
|---|---|---|---|---|
"""


def make() -> str:
    """Return the page."""
    rows = [
        f"| `{code.value}` | {row.http} | {row.exit} | {'yes' if row.retryable else 'no'} | {row.text} |"
        for code, row in ERROR_TABLE.items()
    ]
    return _HEAD + "\n".join(rows) + "\n"
