"""What mutation testing showed: the result that is published, equivalent faults, and what the last run found out."""

from __future__ import annotations

import hashlib
import json
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_HERE = Path(__file__).parent
TARGETS, EQUIVALENT, RESULT = (_HERE / f"{name}.toml" for name in ("targets", "equivalent", "result"))
_HEAD = "# Written by `make mutants`: faults put into each module, and those that no test noticed.\n"


@dataclass(frozen=True, slots=True)
class Count:
    """One module: how many faults, how many a test noticed, how many change nothing; the keys of the others."""

    part: str
    source: str
    mutants: int
    killed: int
    equivalent: int
    survivors: tuple[str, ...]

    @property
    def share(self) -> float:
        """The part of the faults that could be noticed and was."""
        return share([self])


def share(counts: list[Count]) -> float:
    """Return the part that was noticed of all that could be; 1 where there is nothing."""
    possible = sum(count.mutants - count.equivalent for count in counts)
    return sum(count.killed for count in counts) / possible if possible else 1.0


def targets() -> dict[str, dict[str, Any]]:
    """Return what is mutated: ``sources``, ``tests`` and ``lines`` by part."""
    return tomllib.loads(TARGETS.read_text())


def equivalent() -> dict[str, dict[str, str]]:
    """Return the reasons by fault, by source."""
    return tomllib.loads(EQUIVALENT.read_text())


def counts() -> list[Count]:
    """Return the published result."""
    told = tomllib.loads(RESULT.read_text()) if RESULT.exists() else {}
    return [
        Count(part, source, row["mutants"], row["killed"], row["equivalent"], tuple(row["survivors"]))
        for part, rows in told.items()
        for source, row in rows.items()
    ]


def write_counts(found: list[Count]) -> None:
    """Put the results of some modules in the place of their last ones."""
    by_source = {count.source: count for count in [*counts(), *found]}
    kept: dict[str, list[Count]] = {}
    for _, count in sorted(by_source.items()):
        kept.setdefault(count.part, []).append(count)
    lines = [_HEAD]
    for name in (name for name in targets() if name in kept):
        for count in kept[name]:
            lines += [f"\n[{name}.{json.dumps(count.source)}]\n", f"mutants = {count.mutants}\n"]
            lines += [f"killed = {count.killed}\n", f"equivalent = {count.equivalent}\n"]
            survivors = "".join(f"  {json.dumps(key)},\n" for key in count.survivors)
            lines.append(f"survivors = [\n{survivors}]\n" if survivors else "survivors = []\n")
    RESULT.write_text("".join(lines))


class Memory:
    """Which faults the last run saw noticed, so that the next one need not ask again; kept outside of the tree."""

    def __init__(self, path: Path, source: bytes) -> None:
        self._path = path
        self._digest = hashlib.sha256(source).hexdigest()

    def killed(self) -> set[str]:
        """Return what was noticed while the source was the same."""
        told = json.loads(self._path.read_text()) if self._path.exists() else {}
        return set(told["killed"]) if told.get("source") == self._digest else set()

    def keep(self, killed: set[str]) -> None:
        """Remember it."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.write_text(json.dumps({"source": self._digest, "killed": sorted(killed)}))
