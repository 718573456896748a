"""The gateway goes away and comes back while an engine and a web client are connected: both return by themselves."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

from tests.support import node
from tests.support.platform import running_platform, wait_for


def test_gateway_restart_reconnects_engine_and_gui(tmp_path: Path) -> None:
    with running_platform(tmp_path) as platform:
        gateway = platform.services[0]
        gui = node.client(
            "watch_vitals.mjs", platform.gateway_url, platform.owner.private_key_hex(), "1000000"
        )
        told: list[dict[str, Any]] = []
        assert gui.stdout is not None
        reader = threading.Thread(target=lambda: told.extend(map(json.loads, gui.stdout)), name="gui output")  # type: ignore[arg-type]
        reader.start()

        def vitals_since(start: int) -> bool:
            return any(
                line["event"] == "engine_vitals_update" and line["data"]["engine_id"] == platform.engine_id
                for line in told[start:]
            )

        try:
            wait_for(lambda: vitals_since(0), "vitals before the restart")
            gateway.kill()
            wait_for(lambda: any(line["event"] == "disconnect" for line in told), "the web client to notice")
            platform.start_gateway()
            seen = len(told)
            platform.wait_online()
            wait_for(lambda: vitals_since(seen), "vitals after the restart")
            assert sum(line["event"] == "connect" for line in told) >= 2
        finally:
            gui.kill()
            reader.join(10)
            gui.wait(10)
            gui.stdout.close()
