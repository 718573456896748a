"""Where eventlet is known, and that it really runs what it is said to."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gateway import green
from tests.gateway.support import ROOT
from tests.support.script import python


def test_one_file_knows_eventlet() -> None:
    known = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "gateway").rglob("*.py")
        if re.search(
            r"^\s*(import|from) (eventlet|engineio\.async_drivers\.eventlet)", path.read_text(), re.MULTILINE
        )
    }
    assert known == {"gateway/green.py"}


@pytest.mark.parametrize(
    ("environ", "chosen"),
    [
        ({}, True),
        ({"GATEWAY_ASYNC_MODE": ""}, True),
        ({"GATEWAY_ASYNC_MODE": "eventlet"}, True),
        ({"GATEWAY_ASYNC_MODE": "threading"}, False),
    ],
)
def test_the_runtime_is_chosen_by_the_environment(environ: dict[str, str], chosen: bool) -> None:
    assert green.is_chosen(environ) is chosen


def test_patching_is_silent_and_complete() -> None:
    script = (
        "from gateway import green; green.patch(); import threading, socket, time, eventlet.patcher as p;"
        "print(all(p.is_monkey_patched(name) for name in ('socket', 'thread', 'time', 'select', 'os')))"
    )
    assert python(script) == "True"


def test_threads_need_no_eventlet() -> None:
    script = "import gateway.serve, gateway.threads, sys; print('eventlet' in sys.modules)"
    assert python(script) == "False"


def test_nothing_is_resolved_by_a_dns_library() -> None:
    assert (
        python("from gateway import green; green.patch(); import sys; print('dns' in sys.modules)") == "False"
    )


def test_a_frame_is_unmasked_like_the_standard_says() -> None:
    script = """
from gateway import green
green.patch()
import random
from eventlet.websocket import RFC6455WebSocket
bounded = green._websocket_class(1000)
rng = random.Random(1)
for size in [0, 1, 2, 3, 4, 5, 7, 8, 63, 1000]:
    for offset in range(6):
        data, mask = rng.randbytes(size), tuple(rng.randbytes(4))
        assert bounded._apply_mask(data, mask, size, offset) == RFC6455WebSocket._apply_mask(data, mask, size, offset)
print("same")
"""
    assert python(script) == "same"


def test_a_signal_wakes_who_waits_for_it_and_nobody_waits_for_ever() -> None:
    script = """
from gateway import green
green.patch()
import eventlet
signal = green.parts(1000)["event"]
told, untold, before = signal(), signal(), signal()
before.set()
eventlet.spawn_after(0.01, told.set)
waited = [told.wait(30), told.is_set(), untold.wait(0.01), untold.is_set(), before.wait(), before.wait(0)]
late = signal()
eventlet.spawn_after(0.01, late.set)
print(waited, late.wait())
"""
    assert python(script) == "[True, True, False, False, True, True] True"


def test_the_start_is_documented() -> None:
    assert (ROOT / "docs" / "adr" / "0002-eventlet.md").is_file()
    assert Path(ROOT / "gateway" / "wsgi.py").read_text().index("patch_if_chosen()") < Path(
        ROOT / "gateway" / "wsgi.py"
    ).read_text().index("import os")
