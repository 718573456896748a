"""The .env reader: what it takes, what it refuses, who wins."""

from __future__ import annotations

from pathlib import Path

import pytest

from flowork.dotenv import parse, read_environment
from shared.errors import ErrorCode, FloworkError


def test_values_comments_quotes_and_export() -> None:
    text = """
# a comment
A=1
export B = two words  # said so
C='single # kept'
D="double"   # comment
E=
F=with#hash
G=#only a comment
"""
    assert parse(text) == {
        "A": "1",
        "B": "two words",
        "C": "single # kept",
        "D": "double",
        "E": "",
        "F": "with#hash",
        "G": "",
    }


@pytest.mark.parametrize("line", ["no equals", "1A=x", "A='open", 'A="x" y', "=x", "A B=c"])
def test_a_bad_line_is_named(line: str) -> None:
    with pytest.raises(FloworkError, match=r"line 2") as caught:
        parse(f"OK=1\n{line}\n")
    assert caught.value.code is ErrorCode.CONFIGURATION


def test_the_process_environment_wins(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A=file\nB=file\n")
    assert read_environment(tmp_path, {"A": "process"}) == {"A": "process", "B": "file"}
    assert read_environment(tmp_path / "elsewhere", {"A": "process"}) == {"A": "process"}


def test_an_unreadable_file_is_an_error_of_configuration(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"A=\xff\n")
    with pytest.raises(FloworkError) as caught:
        read_environment(tmp_path, {})
    assert caught.value.code is ErrorCode.CONFIGURATION
