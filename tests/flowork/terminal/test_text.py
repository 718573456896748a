"""Text of others cannot steer the terminal."""

from __future__ import annotations

import json
from unicodedata import category

from hypothesis import given, settings
from hypothesis import strategies as st

from flowork.terminal.text import json_text, printable, printable_lines


def test_escape_sequences_are_shown_not_obeyed() -> None:
    assert printable("\x1b]0;title\x07ok\x1b[31m") == "\\x1b]0;title\\x07ok\\x1b[31m"
    assert printable("a\u202eb\u2066c\x9bd\u200be") == "a\\u202eb\\u2066c\\x9bd\\u200be"
    assert printable("one\r\ntwo\tthree\rfour") == "one two three\\x0dfour"
    assert printable_lines("one\r\ntwo\rx") == "one\ntwo\\x0dx"
    assert printable("żółć 東京 🙂") == "żółć 東京 🙂"


def test_long_text_is_cut() -> None:
    assert printable("x" * 50, limit=10) == "x" * 10 + "…"


def hidden(text: str) -> set[str]:
    return {char for char in text if category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"}}


@given(st.text(st.characters()))
def test_nothing_dangerous_remains(text: str) -> None:
    assert not hidden(printable(text, limit=10**6))
    assert hidden(printable_lines(text, limit=10**6)) <= {"\n", "\t"}


@given(
    st.recursive(
        st.text(st.characters()) | st.none(), lambda item: st.lists(item) | st.dictionaries(st.text(), item)
    )
)
@settings(max_examples=30)
def test_json_stays_the_same_value(value: object) -> None:
    text = json_text([value, "\x7f\x9b\U000e0041"])
    assert json.loads(text)[0] == value
    assert hidden(text) <= {"\n"}
