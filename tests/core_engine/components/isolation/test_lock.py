"""What is left to a process that locked itself: looked at from within, for each set of walls."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from core_engine.components.isolation import landlock, lock

ROOT = str(Path(lock.__file__).parents[3])
LOOK = """
import ctypes, json, os, resource, signal, sys
sys.path.insert(0, sys.argv[1])
from core_engine.components.isolation import landlock, lock, seccomp
given = json.loads(sys.argv[2])
told = {}
if given["abi"] is not None:
    landlock.abi = lambda: given["abi"]
    landlock.restrict = lambda *paths, **rights: told.update(restricted=[paths, rights])
    seccomp.install = lambda **rights: told.update(filtered=rights)
parent = {"own": os.getppid(), "other": 1, "none": 0}[given["parent"]]
status = open("/proc/self/status")
lock.lock_process(["/usr"], ["/nowhere"], lock.Walls(parent, *given["walls"]))
libc, death = ctypes.CDLL(None), ctypes.c_int()
libc.prctl(2, ctypes.byref(death), 0, 0, 0)
names = ("NPROC", "CORE", "FSIZE", "NOFILE", "MEMLOCK", "MSGQUEUE")
told["limits"] = {name: resource.getrlimit(getattr(resource, "RLIMIT_" + name)) for name in names}
told["death"] = death.value
told["status"] = dict(line.split(":", 1) for line in status.read().splitlines() if ":" in line)
told["ignores"] = signal.getsignal(signal.SIGXFSZ) is signal.SIG_IGN
print(json.dumps(told), flush=True)
os._exit(0)
"""


def look(
    parent: str = "own", *, abi: int | None = None, walls: tuple[Any, ...]
) -> subprocess.CompletedProcess[str]:
    given = json.dumps({"abi": abi, "parent": parent, "walls": walls})
    return subprocess.run(
        [sys.executable, "-c", LOOK, ROOT, given], capture_output=True, text=True, timeout=60, check=False
    )


def seen(parent: str = "own", *, abi: int | None = None, walls: tuple[Any, ...]) -> dict[str, Any]:
    done = look(parent, abi=abi, walls=walls)
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def test_a_locked_process_has_no_rights_no_room_and_no_way_back() -> None:
    told = seen(walls=(False, True))
    status = {name: value.strip() for name, value in told["status"].items()}
    assert {status[name] for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")} == {"0" * 16}
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
    assert told["death"] == signal.SIGKILL
    assert told["ignores"]
    limits = told["limits"]
    assert limits.pop("NPROC") == list(resource.getrlimit(resource.RLIMIT_NPROC))
    assert limits == {
        "CORE": [0, 0], "FSIZE": [0, 0], "NOFILE": [64, 64], "MEMLOCK": [0, 0], "MSGQUEUE": [0, 0],
    }  # fmt: skip


def test_one_that_starts_programs_may_have_few_of_them_and_files_of_the_size_it_was_given() -> None:
    limits = seen("none", walls=(False, True, True, 123_456))["limits"]
    assert limits["NPROC"] == [64, 64]
    assert limits["FSIZE"] == [123_456, 123_456]


def test_what_stands_behind_it_is_put_up_as_the_walls_say() -> None:
    assert landlock.NETWORK_ABI == 4
    told = seen(abi=4, walls=(True, True, True, 0, 8080))
    assert told["restricted"] == [[["/usr"], ["/nowhere"]], {"programs": True, "port": 8080}]
    assert told["filtered"] == {"files": True, "programs": True, "network": True}
    told = seen(abi=7, walls=(False, False))
    assert told["restricted"] == [[["/usr"], ["/nowhere"]], {"programs": False, "port": 0}]
    assert told["filtered"] == {"files": False, "programs": False, "network": False}


def test_an_old_landlock_is_none_and_missed_only_where_it_is_needed() -> None:
    refused = look(abi=3, walls=(True, True))
    assert refused.returncode == 1
    assert "OSError: Landlock is missing or too old" in refused.stderr
    told = seen(abi=3, walls=(False, True))
    assert "restricted" not in told
    assert told["filtered"] == {"files": True, "programs": False, "network": False}


def test_one_whose_engine_has_ended_meanwhile_does_not_go_on() -> None:
    gone = look("other", walls=(False, True))
    assert gone.returncode == 1
    assert "OSError: the engine has ended" in gone.stderr


USE = """
import json, resource, sys, time
sys.path.insert(0, sys.argv[1])
from core_engine.components.isolation import lock
while time.process_time() < 1.2:
    pass
lock.limit_use(seconds=3.9, memory_bytes=200 << 20)
used = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps([
    resource.getrlimit(resource.RLIMIT_CPU), resource.getrlimit(resource.RLIMIT_AS), used.ru_utime + used.ru_stime,
]))
"""


def test_a_request_gets_the_time_and_the_memory_it_may_use_beside_what_is_used_already() -> None:
    done = subprocess.run(
        [sys.executable, "-c", USE, ROOT], capture_output=True, text=True, timeout=60, check=True
    )
    cpu, space, used = json.loads(done.stdout)
    assert cpu[0] == int(used + 3.9) + 2
    assert cpu[1] == cpu[0] + 1
    assert space == [(96 + 200) << 20] * 2


@pytest.mark.parametrize("wall", ["prctl", "capset"])
def test_a_wall_that_does_not_stand_is_an_error(wall: str) -> None:
    """Each call that the kernel refuses ends the process before it serves anybody."""
    code = f"""
import ctypes, os, sys
sys.path.insert(0, {ROOT!r})
from core_engine.components.isolation import lock
class Libc:
    def __getattr__(self, name):
        return lambda *given: -1 if name == {wall!r} else 0
ctypes.CDLL = lambda *given, **more: Libc()
lock.lock_process([], [], lock.Walls(os.getppid(), False, True))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert "could not be set" in done.stderr


def test_why_the_kernel_refuses_a_wall_is_told() -> None:
    code = f"""
import os, sys
sys.path.insert(0, {ROOT!r})
from core_engine.components.isolation import lock
lock._CAPABILITY_VERSION = 1
lock.lock_process([], [], lock.Walls(os.getppid(), False, True))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert "[Errno 22] capabilities could not be set" in done.stderr


def test_the_present_process_is_not_locked_by_looking() -> None:
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] > 64
    assert os.getppid() > 0
