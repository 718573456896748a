"""``python -m benchmarks``: measures, prints one table, keeps and draws it; ``--help`` tells what can be chosen."""

from __future__ import annotations

import argparse
import sys

from benchmarks import publish, suite
from benchmarks.figures import Row, table
from benchmarks.machine import Machine, sentence


def main(words: list[str]) -> int:
    """Measure what is wanted; return 0 when every goal is met, 1 when one is missed or could not be measured."""
    asked = _read(words)
    try:
        names = suite.modules(asked.only.split(",") if asked.only else ())
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    suite.prepare(names)
    machine = Machine()
    rows: list[Row] = []
    for some in suite.run(names, quick=asked.quick):
        print(table(some).partition("\n")[2].partition("\n")[2], file=sys.stderr, flush=True)
        rows += some
    facts = machine.facts()
    print(f"{table(rows)}\n\n{sentence(facts)}")
    passed = all(row.passed for row in rows)
    if not asked.quick:
        if asked.only:
            rows, facts = publish.with_kept(rows, facts)
        print(f"kept in {publish.keep(rows, facts)}")
        publish.draw(rows)
    if asked.write_docs:
        print("written:", *(str(file.relative_to(publish.ROOT)) for file in publish.write_docs(rows, facts)))
    return 0 if passed else 1


def _read(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measures this product beside peers and limits on this machine.",
    )
    parser.add_argument("--only", metavar="B3,B4", default="", help="measure only these")
    parser.add_argument(
        "--quick", action="store_true", help="an eighth of the work, once: to see that it works"
    )
    parser.add_argument(
        "--write-docs", action="store_true", help="write the tables into docs/performance.md and README.md"
    )
    asked = parser.parse_args(words)
    if asked.quick and asked.write_docs:
        parser.error("a quick look is not to be published")
    return asked


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
