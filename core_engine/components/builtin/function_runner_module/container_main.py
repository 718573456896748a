"""The program of a container that runs a person's Python: reads the request beside it, does it, prints the answer.

Started as ``python3 -I -B container_main.py`` with nothing but the standard library of its image. What the code prints
goes to standard error; a line of its log is marked there. The answer is one line of JSON on standard output.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

MARK, PART = "\x1e", "\x1f"
"""Before the level of a log line, and between it and the text."""


def main(folder: Path) -> None:
    """Serve the one request of this container."""
    answers = os.dup(1)
    os.dup2(2, 1)
    sys.path.insert(0, str(folder))
    import function  # type: ignore[import-not-found] # noqa: PLC0415 - a copy of the engine's own lies beside this

    try:
        request = json.loads((folder / "request.json").read_text())
        answer = json.dumps({"value": function.run(request, log)}, allow_nan=False)
    except BaseException as error:  # noqa: BLE001 - whatever ended the code is the answer, sys.exit included
        answer = json.dumps({"error": function.explain(error)})
    rest = answer.encode() + b"\n"
    sys.stdout.flush()
    while rest:
        rest = rest[os.write(answers, rest) :]
    os._exit(0)


def log(message: Any, level: Any = "INFO") -> None:
    """Write a line to the run's log; levels are DEBUG, INFO, SUCCESS, WARN and ERROR."""
    text = " ".join(str(message).splitlines())[:4000]
    sys.stderr.write(f"{MARK}{str(level)[:20]}{PART}{text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    main(Path(__file__).parent)
