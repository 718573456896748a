"""Mutation testing finds the places for faults, asks the tests that come by them, and tells what none noticed."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tools.mutants import record
from tools.mutants.__main__ import LEAST, ROOT
from tools.mutants.mutations import Mutant, mutants
from tools.mutants.record import Count, Memory, share
from tools.mutants.running import Observed, matching

SOURCE = b'''"""A text with 1 and True in it."""

LIMIT: Literal[5] = 10


@decorated(3)
def allowed(size: int, *, spare: int = 2) -> bool:
    """Say."""
    if size > LIMIT and not spare:
        _log.info("refused %d", 7)
        raise ValueError(f"more than {LIMIT + 1}")
    flags = FIRST | SECOND
    seen.append(flags)
    return min(size, 1) in {
        4,
    }
'''


def told(source: bytes = SOURCE) -> list[str]:
    return [f"{mutant.before} -> {mutant.after}" for mutant in mutants(source)]


def test_each_kind_of_fault_is_found_and_nothing_that_says_nothing() -> None:
    assert told() == [
        "LIMIT: Literal[5] = 10 -> LIMIT: Literal[5] = 11",
        "LIMIT: Literal[5] = 10 -> LIMIT: Literal[5] = 9",
        "size: int, *, spare: int=2 -> size: int, *, spare: int=3",
        "size: int, *, spare: int=2 -> size: int, *, spare: int=1",
        "size > LIMIT and (not spare) -> not (size > LIMIT and (not spare))",
        "size > LIMIT and (not spare) -> size > LIMIT or not spare",
        "size > LIMIT -> size >= LIMIT",
        "not spare -> spare",
        "raise ValueError(f'more than {LIMIT + 1}') -> pass",
        "FIRST | SECOND -> FIRST",
        "FIRST | SECOND -> SECOND",
        "seen.append(flags) -> pass",
        "return min(size, 1) in {4} -> return None",
        "min(size, 1) in {4} -> min(size, 1) not in {4}",
        "min(size, 1) -> max(size, 1)",
        "min(size, 1) -> min(size, 2)",
        "min(size, 1) -> min(size, 0)",
        "{4} -> {5}",
        "{4} -> {3}",
    ]


def test_each_fault_is_put_in_its_place_and_leaves_the_rest_alone() -> None:
    for mutant in mutants(SOURCE):
        changed = mutant.put_into(SOURCE)
        assert changed != SOURCE
        assert ast.dump(ast.parse(changed)) != ast.dump(ast.parse(SOURCE))
        assert changed[: mutant.start] == SOURCE[: mutant.start]
        assert changed.endswith(SOURCE[mutant.end :])


def test_a_fault_is_in_the_lines_of_its_statement_only() -> None:
    found = {mutant.key: mutant for mutant in mutants(SOURCE)}
    assert found["allowed: size > LIMIT -> size >= LIMIT"].lines == range(9, 10)
    assert found["allowed: {4} -> {5}"].lines == range(14, 17)
    assert found["allowed: {4} -> {5}"].line == 15


def test_equal_faults_of_one_place_have_names_of_their_own() -> None:
    names = [mutant.key for mutant in mutants(b"def f(a):\n    a.g()\n    a.g()\n")]
    assert names == ["f: a.g() -> pass", "f: a.g() -> pass #2"]


def test_the_tests_that_come_by_a_line_are_asked_the_quickest_first() -> None:
    seen = Observed(
        {"slow": 2.0, "quick": 0.1, "other": 0.5},
        {("a.py", 3): frozenset({"slow", "quick"}), ("a.py", 1): frozenset({"", "other"})},
    )
    assert seen.chosen("a.py", range(3, 4)) == ["quick", "slow"]
    assert seen.chosen("a.py", range(1, 2)) == ["quick", "other", "slow"]  # it runs when the module is loaded
    assert seen.chosen("a.py", range(9, 10)) == []
    assert seen.chosen("a.py", None) == ["quick", "other", "slow"]
    own = Observed({"t/test_a.py::slow": 2.0, "t/test_b.py::quick": 0.1, "t/test_a.py::quick": 1.0}, {})
    assert own.chosen("x/a.py", None) == ["t/test_a.py::quick", "t/test_a.py::slow", "t/test_b.py::quick"]
    assert seen.limit(["quick", "slow"]) > seen.limit(["quick"]) > 10


def test_what_was_noticed_is_remembered_while_the_source_is_the_same(tmp_path: Path) -> None:
    kept = tmp_path / "new" / "memory.json"
    assert Memory(kept, b"one").killed() == set()
    Memory(kept, b"one").keep({"a", "b"})
    assert Memory(kept, b"one").killed() == {"a", "b"}
    assert Memory(kept, b"two").killed() == set()


def test_what_changes_nothing_does_not_count() -> None:
    assert share([Count("a", "b.py", 10, 7, 2, ("x",))]) == 7 / 8
    assert share([Count("a", "b.py", 2, 0, 2, ())]) == 1


def test_a_module_takes_the_place_of_its_last_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record, "RESULT", tmp_path / "result.toml")
    assert record.counts() == []
    first = Count("paths", "a.py", 3, 1, 1, ('f: "a" in b -> "a" not in b',))
    other = Count("signing", "b.py", 1, 1, 0, ())
    record.write_counts([first])
    record.write_counts([other])
    record.write_counts([Count("paths", "a.py", 3, 2, 1, ())])
    assert record.counts() == [other, Count("paths", "a.py", 3, 2, 1, ())]


def test_what_is_published_is_about_what_there_is_and_enough_of_it() -> None:
    published = record.counts()
    assert {count.part for count in published} <= set(record.targets())
    for part, given in record.targets().items():
        rows = [count for count in published if count.part == part]
        sources = matching(ROOT, given["sources"])
        assert {count.source for count in rows} == {
            name for name in sources if mutants((ROOT / name).read_bytes())
        }
        assert all(count.killed + count.equivalent + len(count.survivors) == count.mutants for count in rows)
        assert not rows or share(rows) >= LEAST, part
        assert all((ROOT / name.partition("::")[0]).exists() for name in given["tests"])
    for source, reasons in record.equivalent().items():
        assert (ROOT / source).exists()
        assert all(len(reason) > 10 for reason in reasons.values()), source


def test_a_fault_is_noticed_or_not_in_a_copy_of_a_tree(tmp_path: Path) -> None:
    """A tree of its own, in a process of its own: what runs the tests changes folder and loads what they need."""
    (tmp_path / "core.py").write_text("def is_old(age: int) -> bool:\n    return age > 65\n")
    (tmp_path / "test_core.py").write_text(
        "import core\n\ndef test_old():\n    assert core.is_old(80) and not core.is_old(65)\n"
    )
    (tmp_path / "pyproject.toml").write_text("[tool.pytest.ini_options]\naddopts = '-p no:cacheprovider'\n")
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    script = f"""
from pathlib import Path
from tools.mutants.mutations import mutants
from tools.mutants.running import Bench
source = Path({str(tmp_path)!r}, "core.py").read_bytes()
bench = Bench(Path({str(tmp_path)!r}))
try:
    seen = bench.observe(["test_core.py"], frozenset({{"core.py"}}))
    for mutant in mutants(source):
        bench.put("core.py", mutant.put_into(source))
        tests = seen.chosen("core.py", mutant.lines)
        print(mutant.after, "|", bench.ask(tests, ["test_core.py"], seen.limit(tests)))
finally:
    bench.close()
"""
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.stdout.splitlines() == [
        "return None | test_core.py::test_old",
        "age >= 65 | test_core.py::test_old",
        "age > 66 | None",
        "age > 64 | test_core.py::test_old",
    ], done.stderr
    assert (tmp_path / "core.py").read_text().endswith("age > 65\n")


def test_a_mutant_says_where_it_is() -> None:
    assert Mutant("f", 1, range(1, 2), 0, 1, "x", "a", "b", 3).key == "f: a -> b #3"
