"""Log lines: readable or JSON, and free of secrets in message, fields and traces."""

from __future__ import annotations

import io
import json
import logging
import subprocess
import sys
from collections.abc import Iterator

import pytest

from shared.clock import read_iso
from shared.ids import new_engine_token
from shared.logs import LineFormatter, configure, of_run, tell, together
from shared.redact import MASK


def record(message: str, *args: object, level: int = logging.INFO, **fields: object) -> logging.LogRecord:
    logger = logging.getLogger("flowork.test")
    return logger.makeRecord(logger.name, level, "file.py", 1, message, args, None, extra=fields)


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    logger = logging.getLogger()
    handlers, level = logger.handlers[:], logger.level
    yield logger
    logger.handlers[:] = handlers
    logger.setLevel(level)


def test_a_line_for_people() -> None:
    line = LineFormatter("engine", as_json=False).format(record("run %s ended", "j-1", seconds=2))
    assert line.endswith("engine  INFO    run j-1 ended  seconds=2")
    assert line[2] == line[5] == ":"


def test_lines_name_the_run_that_is_worked_for() -> None:
    form = LineFormatter("worker", as_json=True)
    with of_run("run-1"):
        assert json.loads(form.format(record("inside")))["run"] == "run-1"
        assert json.loads(form.format(record("of another", run="run-2")))["run"] == "run-2"
        with of_run(""):
            assert "run" not in json.loads(form.format(record("of none")))
        assert json.loads(form.format(record("inside again")))["run"] == "run-1"
    assert "run" not in json.loads(form.format(record("outside")))


def test_a_line_for_machines() -> None:
    entry = json.loads(
        LineFormatter("engine", as_json=True).format(record("run ended", seconds=2, path=object))
    )
    assert (entry["level"], entry["service"], entry["logger"]) == ("INFO", "engine", "flowork.test")
    assert (entry["message"], entry["seconds"]) == ("run ended", 2)
    assert entry["time"].endswith("Z")


@pytest.mark.parametrize("as_json", [False, True])
def test_no_secret_in_message_field_or_trace(*, as_json: bool) -> None:
    secret = new_engine_token()
    entry = record("token %s", secret, token=secret, note=f"x {secret}")
    error = ValueError(f"refused {secret}")
    entry.exc_info = (ValueError, error, None)
    line = LineFormatter("gateway", as_json=as_json).format(entry)
    assert secret not in line
    assert "ValueError" in line
    if as_json:
        assert json.loads(line)["token"] == MASK


def test_configure_sends_lines_of_the_level_to_standard_error(
    root: logging.Logger, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    configure("engine", level="INFO", as_json=True)
    logging.getLogger("flowork.test").info("seen")
    logging.getLogger("flowork.test").debug("not seen")
    logging.getLogger("engineio.client").info("not seen")
    lines = [json.loads(line)["message"] for line in stream.getvalue().splitlines()]
    assert lines == ["seen"]
    assert len(root.handlers) == 1


def test_a_line_told_of_with_its_facts_is_the_line_that_the_library_makes(
    root: logging.Logger, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    configure("engine", level="INFO", as_json=True)
    log = logging.getLogger("flowork.test")
    facts = {"run": "j-1", "engine_token": new_engine_token(), "note": "Bearer x"}
    log.warning("over", extra=facts)
    tell(log, logging.WARNING, "over", facts)
    tell(log, logging.WARNING, "over", facts | {"msg": "another", "levelname": "NONE"})
    tell(log, logging.DEBUG, "not seen", facts)
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert lines[0].keys() >= {"time", "level", "logger", "message", "run"}
    assert abs(read_iso(lines[1].pop("time")) - read_iso(lines[0].pop("time"))) < 60_000
    assert lines[2].pop("time")
    assert lines[1:] == [lines[0]] * 2
    assert lines[0]["engine_token"] == lines[0]["note"] == MASK


def test_libraries_write_no_lines_of_their_own() -> None:
    """Socket.IO's classes add a handler to each logger without a level; its lines would not be masked."""
    code = (
        "import logging, socketio\n"
        "from shared.logs import configure\n"
        "configure('engine', level='INFO', as_json=False)\n"
        "socketio.AsyncClient(), socketio.Server(async_mode='threading')\n"
        "for name in ('engineio.client', 'engineio.server', 'socketio.client', 'socketio.server'):\n"
        "    logging.getLogger(name).error('dev_engine_' + 'a' * 32)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.count("\n") == 4
    assert "dev_engine_" not in done.stderr


def test_lines_of_a_block_leave_together_in_their_order(
    root: logging.Logger, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stream(io.StringIO):
        writes = 0

        def write(self, text: str) -> int:
            self.writes += 1
            return super().write(text)

    stream = Stream()
    monkeypatch.setattr(sys, "stderr", stream)
    configure("engine", level="INFO", as_json=False)
    log = logging.getLogger("flowork.test")
    with together():
        log.info("one")
        with together():
            log.warning("two")
        assert not stream.writes
    assert stream.writes == 1
    log.info("three")
    lines = stream.getvalue().splitlines()
    assert [line.split()[-1] for line in lines] == ["one", "two", "three"]

    def fail() -> None:
        with together():
            log.error("four")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert stream.getvalue().endswith("four\n"), "what was written before a failure is not lost"


def test_a_log_that_cannot_be_written_ends_no_block(
    root: logging.Logger, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    configure("engine", level="INFO", as_json=False)
    with together():
        logging.getLogger("flowork.test").info("one")
        stream.close()
    assert stream.closed
