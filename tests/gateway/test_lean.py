"""What the gateway's process does without."""

from __future__ import annotations

import subprocess
import sys

from tests.gateway.support import ROOT


def test_the_process_loads_no_http_client_and_no_key_library() -> None:
    script = (
        "from gateway import lean; lean.import_without_clients(); import gateway.serve, sys;"
        "print(sorted({'aiohttp', 'websocket', 'eth_account', 'alembic', 'sqlalchemy.orm'} & set(sys.modules)));"
        "import aiohttp; print(sys.getrecursionlimit())"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    # The limit matters: a decoder written in C overruns the stack where a library raises it (as py_ecc does).
    assert done.stdout.split("\n")[:2] == ["[]", "1000"]
