"""Every shipped package has a licence on record, one that we may ship under, and it says the same itself."""

from __future__ import annotations

import re

import pytest

from tools.licences.reading import bundled, installed, known, locked

RECORD = known()
# They ask for a notice, or (MPL, EPL) for the source of their own files where changed; nothing for what is beside.
FREE = {
    "0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "CNRI-Python", "EPL-2.0", "ISC", "MIT", "MIT-0",
    "MIT-CMU", "MPL-2.0", "PSF-2.0", "Unlicense",
}  # fmt: skip


def is_free(expression: str) -> bool:
    """Whether one of the alternatives asks for nothing more than the licences above."""
    return any(
        all(part.strip(" ()") in FREE for part in choice.split(" AND "))
        for choice in expression.split(" OR ")
    )


def test_the_record_names_what_is_locked_and_nothing_else() -> None:
    assert sorted(RECORD["python"]) == locked()
    assert sorted(RECORD["page"]) == sorted(bundled())


@pytest.mark.parametrize("table", ["python", "page"])
def test_every_licence_is_free_or_reviewed(table: str) -> None:
    assert {name for name, licence in RECORD[table].items() if not is_free(licence)} <= set(
        RECORD["reviewed"]
    )


def test_a_review_names_the_licence_that_is_on_record() -> None:
    for name, reason in RECORD["reviewed"].items():
        assert re.match(re.escape(RECORD["python"][name]) + ": .", reason), name


def test_packages_say_the_same_themselves() -> None:
    said = {name: licence for name in locked() if (licence := installed(name))}
    assert len(said) > 100
    assert {name: RECORD["python"][name] for name in said} == said
    page = {name: licence for name, licence in bundled().items() if licence}
    assert {name: RECORD["page"][name] for name in page} == page


def test_a_word_of_the_gpl_alone_is_not_free() -> None:
    assert not is_free("GPL-3.0-only")
    assert not is_free("MIT AND LGPL-3.0-only")
    assert is_free("EPL-2.0 OR GPL-2.0-or-later")
