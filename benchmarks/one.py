"""``python -m benchmarks.one NAME ANSWER [--quick | --prepare]``: one benchmark in this process, for `suite`."""

from __future__ import annotations

import json
import signal
import sys
import traceback
from pathlib import Path
from typing import NoReturn

from benchmarks.cores import take_load_core
from benchmarks.figures import Scale
from benchmarks.suite import measured, prepared


def main(words: list[str]) -> int:
    """Measure or prepare, and write the rows to the answer's file."""
    signal.signal(signal.SIGTERM, _leave)
    name, answer = words[0], Path(words[1])
    if "--prepare" in words:
        prepared(name)
        rows = []
    else:
        take_load_core()
        rows = measured(name, Scale(quick="--quick" in words))
    draft = answer.with_suffix(".tmp")
    draft.write_text(json.dumps([row.as_dict() for row in rows]))
    draft.replace(answer)
    return 0


def _leave(_number: int, _frame: object) -> NoReturn:
    """End the blocks that are open, with their servers, and say where it was."""
    traceback.print_stack(limit=6)
    raise SystemExit(1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
