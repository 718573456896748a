"""Log lines of every process: one format, with secrets masked before they are written."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from itertools import groupby, islice
from operator import itemgetter
from typing import Any, TextIO

from typing_extensions import override

from shared.clock import SystemClock, iso
from shared.redact import redact, redact_text

# The Socket.IO loggers are named one by one: the library gives each that has no level of its own a handler, whose
# lines would pass by the masking of secrets.
_NOISY = (
    "aiohttp.access",
    "alembic",
    "engineio.client",
    "engineio.server",
    "httpx",
    "socketio",
    "socketio.client",
    "socketio.server",
    "watchfiles.main",
    "websockets.server",
)
_CLOCK = SystemClock()
_BLANK = logging.makeLogRecord({}).__dict__
_STANDARD = frozenset(_BLANK) | {"message", "asctime", "taskName"}


_RUN: ContextVar[str] = ContextVar("run that is worked for", default="")
_GATHERED: ContextVar[list[tuple[LineHandler, str]] | None] = ContextVar(
    "lines that leave together", default=None
)


@contextmanager
def of_run(run_id: str) -> Iterator[None]:
    """Have every line name the run that is worked for (``run``), whoever writes it."""
    before = _RUN.set(run_id)
    try:
        yield
    finally:
        _RUN.reset(before)


def work_for(run_id: str) -> None:
    """Have every line that is written in this context from now on name the run that is worked for."""
    _RUN.set(run_id)


def tell(logger: logging.Logger, level: int, message: str, facts: Mapping[str, object]) -> None:
    """Do what `Logger.log` does with these facts as ``extra``, for lines of which there are many.

    Nothing is found out about the place that they are written from, which no line names.
    """
    if not logger.isEnabledFor(level):
        return
    record = logging.LogRecord.__new__(logging.LogRecord)
    name, now = logging.getLevelName(level), _CLOCK.now_ms() / 1000
    own = {"name": logger.name, "levelno": level, "levelname": name, "msg": message, "created": now}
    members = _BLANK.copy()
    members.update(facts)
    members.update(own)
    record.__dict__ = members
    logger.handle(record)


class LineHandler(logging.StreamHandler[TextIO]):
    """Writes each line at once, or those of a block of `together` in one piece at its end."""

    @override
    def emit(self, record: logging.LogRecord) -> None:
        """Write a line; one that cannot be made or written stops nobody."""
        try:
            line = self.format(record) + self.terminator
            gathered = _GATHERED.get()
            if gathered is None:
                self.write(line)
            else:
                gathered.append((self, line))
        except Exception:  # noqa: BLE001 - as the library's handlers do
            self.handleError(record)

    def write(self, text: str) -> None:
        """Write lines."""
        self.stream.write(text)
        self.flush()


@contextmanager
def together() -> Iterator[None]:
    """Have the lines that this block writes leave in one piece when it ends: each write is a call of the system."""
    if _GATHERED.get() is not None:
        yield
        return
    gathered: list[tuple[LineHandler, str]] = []
    token = _GATHERED.set(gathered)
    try:
        yield
    finally:
        _GATHERED.reset(token)
        for handler, lines in groupby(gathered, key=itemgetter(0)):
            with suppress(OSError, ValueError):  # nobody reads the log any more, or it was closed
                handler.write("".join(line for _, line in lines))


class LineFormatter(logging.Formatter):
    """Formats a record as readable text or as one JSON object; ``extra`` members become fields."""

    def __init__(self, service: str, *, as_json: bool) -> None:
        super().__init__()
        self._service = service
        self._as_json = as_json

    @override
    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        # What is not the library's stands behind what is: the first ones need not be looked at.
        named = islice(record.__dict__.items(), len(_BLANK), None)
        fields = redact({key: value for key, value in named if key not in _STANDARD})
        if "run" not in fields and (run := _RUN.get()):
            fields["run"] = run
        message = redact_text(record.getMessage())
        trace = redact_text(self.formatException(record.exc_info)) if record.exc_info else ""
        at = iso(int(record.created * 1000))
        if self._as_json:
            entry: dict[str, Any] = {"time": at, "level": record.levelname, "service": self._service}
            entry |= {"logger": record.name, "message": message, **fields}
            return json.dumps(entry | ({"trace": trace} if trace else {}), default=str)
        extra = " ".join([f"{key}={value}" for key, value in fields.items()])
        line = f"{at[11:23]} {self._service:<7} {record.levelname:<7} {message}  {extra}".rstrip()
        return f"{line}\n{trace}" if trace else line


def configure(service: str, *, level: str, as_json: bool) -> None:
    """Send the log of this process to its standard error."""
    # No line of ours names them, so they need not be found out for each.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging._srcfile = None  # as the library's manual advises  # noqa: SLF001
    handler = LineHandler()
    handler.setFormatter(LineFormatter(service, as_json=as_json))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for noisy in _NOISY:
        logging.getLogger(noisy).setLevel(logging.WARNING)
