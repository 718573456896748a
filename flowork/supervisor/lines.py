"""Shows the log lines of the services: one look for both, harmless to the terminal."""

from __future__ import annotations

import re

from rich.console import Console
from rich.text import Text

from flowork.terminal.text import printable

_LINE = re.compile(r"(?P<time>\d\d:\d\d:\d\d)\.\d{3} \S+ +(?P<level>[A-Z]+) +(?P<message>.*)", re.DOTALL)
_SERVICE_STYLE = {"gateway": "cyan", "engine": "magenta"}
_LEVEL_STYLE = {"WARNING": "yellow", "ERROR": "red", "CRITICAL": "bold red", "DEBUG": "dim"}


class LogLines:
    """Prints lines with the time, the service's name in its colour and the level's colour on the message."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def __call__(self, service: str, line: str) -> None:
        """Print one line; may be called from several threads."""
        match = _LINE.fullmatch(line)
        time = f"{match['time']} " if match else ""
        message = match["message"] if match else line
        style = _LEVEL_STYLE.get(match["level"], "") if match else ""
        text = Text.assemble(
            (time, "dim"), (f"{service:<8}", _SERVICE_STYLE.get(service, "")), (printable(message), style)
        )
        self._console.print(text, soft_wrap=True)
