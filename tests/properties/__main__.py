"""``python -m tests.properties P1 Z8 --minutes 30``: goes on with rows of the matrix, with new random cases."""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import time

from tools.generate.properties_page import ROOT_FOLDER, rows

EXAMPLES = 5000
SEEDS = 5000


def main(arguments: list[str]) -> int:
    """Run the rows' Python tests again and again until the time is over or one fails; return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.properties")
    parser.add_argument("row", nargs="+", choices=list(rows()), help="rows of tests/properties/matrix.toml")
    parser.add_argument("--minutes", type=float, default=float(os.environ.get("FUZZ_MINUTES", "10")))
    given = parser.parse_args(arguments)
    tests = [test for row in given.row for test in rows()[row].get("tests", ()) if ".py::" in test]
    end = time.monotonic() + given.minutes * 60
    count = 0
    while time.monotonic() < end:
        first = random.SystemRandom().randrange(10**9)
        found = _once(tests, first)
        count += 1
        if found:
            print(f"Found something after {count} rounds; this one began with TEST_SEED={first}.")
            return found
    print(f"{count} rounds, nothing found.")
    return 0


def _once(tests: list[str], first: int) -> int:
    environment = os.environ | {
        "TEST_SEED": str(first), "SIM_SEEDS": str(SEEDS), "FUZZ_EXAMPLES": str(EXAMPLES),
    }  # fmt: skip
    options = ["-q", "-x", "--timeout", "0", f"--hypothesis-seed={first}", "-p", "tests.properties.longer"]
    command = [sys.executable, "-m", "pytest", *options, *tests]
    return subprocess.run(command, check=False, cwd=ROOT_FOLDER, env=environment).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
