"""A section of docs/reliability.md: small faults put into the code that guards, and how many of them tests noticed."""

from __future__ import annotations

from tools.mutants.record import Count, counts, share

_TEXT = """
## Faults put into the code

A test that cannot fail proves nothing. `make mutants` puts small faults into a copy of the code that everything else
rests on, one at a time: a comparison turned round or moved by one, a number one higher or lower, `and` for `or`, a
condition turned round, a flag left out, a statement, a refusal or a returned value removed. Then it runs the tests of
that code, until the first that fails. At least nine of ten faults must be noticed in each part; faults that change
nothing (named with the reason in `tools/mutants/equivalent.toml`) do not count. What no test noticed is in
`tools/mutants/result.toml`. `make mutants ONLY=paths` does one part, `AGAIN=1` asks only about what was not noticed
last time. All of it takes an hour or more, so it is not part of `make test`. The parts are in
`tools/mutants/targets.toml`, with the tests of each; a module of them that has no line here has nothing to put a fault
into.

| part | module | faults | noticed | change nothing | not noticed | noticed of those that change something |
|---|---|---|---|---|---|---|
"""


def make() -> str:
    """Return the section."""
    found = counts()
    lines = [_TEXT]
    for part in dict.fromkeys(count.part for count in found):
        rows = [count for count in found if count.part == part]
        lines += [_line(part, f"`{row.source}`", [row]) for row in rows]
        lines.append(_line(f"**{part}**", "all", rows))
    return "".join(lines)


def _line(part: str, name: str, rows: list[Count]) -> str:
    mutants, killed = sum(row.mutants for row in rows), sum(row.killed for row in rows)
    same, left = sum(row.equivalent for row in rows), sum(len(row.survivors) for row in rows)
    return f"| {part} | {name} | {mutants} | {killed} | {same} | {left} | {100 * share(rows):.1f} % |\n"
