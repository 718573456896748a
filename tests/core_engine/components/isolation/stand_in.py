"""A child without walls in the place of the locked one: a real process that runs the code of its request at once."""

from __future__ import annotations

import sys

SPEAKING = """
import json, os, struct, sys, time
def write(body): os.write(1, struct.pack(">I", len(body)) + body)
def send(**frame): write(json.dumps(frame).encode())
def log(text, **more): send(kind="log", message=text, **more)
def note(path): open(path, "w").write(str(os.getpid()))
"""
_CHILD = """
send(kind="ready")
head = os.read(0, 4)
request = json.loads(os.read(0, struct.unpack(">I", head)[0])) if head else {"code": ""}
exec(request["code"])
"""
ENDLESS = "log('up'); time.sleep(100)"
ECHO = "send(kind='result', value=request)"
_INNER = ("/bin/sh", "-c", '"$@"; exit $?', "sh")


def command(*, inner: bool = False, door: int | None = None) -> list[str]:
    """Return what starts it: ``inner`` behind one that plays bubblewrap's part; ``door`` is a name in its code."""
    return [
        *(_INNER if inner else ()),
        sys.executable,
        "-I",
        "-S",
        "-c",
        f"door = {door}\n{SPEAKING}{_CHILD}",
    ]


def logged(text: str) -> dict[str, str]:
    """Return the frame of a line that is logged."""
    return {"kind": "log", "message": text}
