"""Creates the project's virtual environment, or says in one sentence what is missing for it.

Usage: ``python3 make_venv.py FOLDER``. Runs on any Python 3.6 or newer, so that an old one can still explain itself.
"""

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

OLDEST = (3, 11)
NEWEST_TRIED = 16


def main() -> int:
    """Create the environment in the folder named by the first argument; return the exit code."""
    if len(sys.argv) != 2:
        return _fail("usage: make_venv.py FOLDER")
    if sys.version_info < OLDEST:
        return _hand_over()
    version = "{}.{}".format(*sys.version_info[:2])
    try:
        import ensurepip  # noqa: F401, PLC0415 - absent from Debian's minimal Python
    except ImportError:
        return _fail(
            f"Python {version} came without its venv module. On Debian and Ubuntu: "
            f"sudo apt install python{version}-venv, then run make again."
        )
    folder = Path(sys.argv[1])
    print(f"flowork: creating {folder} with Python {sys.version.split()[0]}", flush=True)
    try:
        venv.create(str(folder), with_pip=True, clear=True, symlinks=os.name != "nt")
    except (OSError, subprocess.CalledProcessError) as error:
        shutil.rmtree(str(folder), ignore_errors=True)
        return _fail(f"cannot create the environment in {folder}: {error}")
    return 0


def _hand_over() -> int:
    """Run this file again with a newer Python of this machine, if there is one."""
    for minor in range(NEWEST_TRIED, OLDEST[1] - 1, -1):
        found = shutil.which(f"python3.{minor}")
        if found and subprocess.call([found, "-c", ""], stderr=subprocess.DEVNULL) == 0:
            return subprocess.call([found, str(Path(__file__).resolve()), *sys.argv[1:]])
    return _fail(
        "Python {}.{} is too old, 3.11 or newer is needed. Install it, "
        "or name one: make PYTHON=/path/to/python3.11 …".format(*sys.version_info[:2])
    )


def _fail(message: str) -> int:
    print("flowork: " + message, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
