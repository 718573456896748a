"""``python -m tools.mutants [PART | SOURCE …] [--again]``: puts faults into the code and asks whether a test notices.

``--again`` asks only about what no test noticed the last time. 1 where less than `LEAST` of a part was noticed.
"""

from __future__ import annotations

import fnmatch
import os
import sys
import time
from pathlib import Path

from tools.mutants.mutations import Mutant, mutants
from tools.mutants.record import Count, Memory, equivalent, share, targets, write_counts
from tools.mutants.running import Bench, Observed, matching

ROOT = Path(__file__).resolve().parents[2]
LEAST = 0.9
_MEMORY = ROOT / "var" / "mutants"


class Trial:
    """One part: its sources are mutated, its tests are asked."""

    def __init__(self, part: str, bench: Bench, *, again: bool) -> None:
        self._part = part
        self._bench = bench
        self._again = again
        self._given = targets()[part]
        self._reasons = equivalent()

    def run(self, only: list[str]) -> list[Count]:
        """Try the sources that are wanted (all where none is named)."""
        sources = matching(ROOT, self._given["sources"])
        wanted = [
            source for source in sources if not only or any(fnmatch.fnmatch(source, name) for name in only)
        ]
        watched = frozenset(sources) if self._given["lines"] else frozenset[str]()
        _say(f"{self._part}: {len(wanted)} modules; the tests without a fault")
        observed = self._bench.observe(self._given["tests"], watched)
        _say(f"{self._part}: {len(observed.seconds)} tests, {sum(observed.seconds.values()):.1f} s")
        return [count for source in wanted if (count := self._try(source, observed)).mutants]

    def _try(self, source: str, observed: Observed) -> Count:
        content = (ROOT / source).read_bytes()
        reasons = self._reasons.get(source, {})
        memory = Memory(_MEMORY / f"{source.replace('/', '.')}.json", content)
        killed = memory.killed() if self._again else set[str]()
        found, survivors, begun = mutants(content), list[Mutant](), time.monotonic()
        for key in sorted(set(reasons) - {mutant.key for mutant in found}):
            _say(f"  equivalent.toml names what is not there any more: {source}: {key}")
        tried = [mutant for mutant in found if mutant.key not in reasons]
        try:
            for mutant in tried:
                if mutant.key not in killed and self._notice(source, content, mutant, observed):
                    killed.add(mutant.key)
                elif mutant.key not in killed:
                    survivors.append(mutant)
                    _say(f"  SURVIVED {source}:{mutant.line}\n    - {mutant.before}\n    + {mutant.after}")
        finally:
            self._bench.put(source, content)
            memory.keep(killed)
        dead, same = len(tried) - len(survivors), len(found) - len(tried)
        _say(f"  {source}: {dead} of {len(tried)} noticed in {time.monotonic() - begun:.0f} s")
        return Count(self._part, source, len(found), dead, same, tuple(mutant.key for mutant in survivors))

    def _notice(self, source: str, content: bytes, mutant: Mutant, observed: Observed) -> bool:
        tests = observed.chosen(source, mutant.lines if self._given["lines"] else None)
        if not tests:
            return False
        self._bench.put(source, mutant.put_into(content))
        files = list(dict.fromkeys(test.partition("::")[0] for test in tests))
        return self._bench.ask(tests, files, observed.limit(tests)) is not None


def main(arguments: list[str]) -> int:
    """Try what is asked for and write the result."""
    again = "--again" in arguments
    names = [name for name in arguments if name != "--again"]
    parts = [part for part in targets() if part in names] or list(targets())
    only = [name for name in names if name not in targets()]
    bench, weak = Bench(ROOT), []
    try:
        for part in parts:
            counts = Trial(part, bench, again=again).run(only)
            _say(f"{part}: {100 * share(counts):.1f} % noticed")
            write_counts(counts)
            weak += [part] if share(counts) < LEAST else []
    finally:
        bench.close()
    return 1 if weak else 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    os.nice(max(0, 10 - os.nice(0)))
    sys.exit(main(sys.argv[1:]))
