"""``python -m benchmarks [b01 …]``: measures, prints one table and writes it to `results/latest.json`."""

from __future__ import annotations

import importlib
import pkgutil
import sys

import benchmarks
from benchmarks.figures import Row, keep, table
from benchmarks.servers import take_load_core


def main(wanted: list[str]) -> int:
    """Run the benchmarks whose names begin as wanted, or all; return 1 when a goal is missed."""
    take_load_core()
    rows: list[Row] = []
    for module in sorted(each.name for each in pkgutil.iter_modules(benchmarks.__path__)):
        if (
            module.startswith("b")
            and module[1:3].isdigit()
            and (not wanted or module.startswith(tuple(wanted)))
        ):
            print(f"measuring {module} …", file=sys.stderr, flush=True)
            rows += importlib.import_module(f"benchmarks.{module}").measure()
    print(table(rows))
    if not wanted:
        keep(rows)
    return 0 if all(row.passed for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
