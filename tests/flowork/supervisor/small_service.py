"""A service small enough to be started many times: says where it listens, answers, misbehaves as MODE says."""

from __future__ import annotations

import http.server
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

MODE = os.environ["MODE"]
FILE = Path(os.environ["ADDRESS_FILE"])


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()
        if self.path == "/crash":
            os._exit(3)

    def log_message(self, *_: Any) -> None:
        return


def main() -> None:
    print("starting", os.environ.get("FLOWORK_PASSPHRASE", "without the user's secrets"), flush=True)
    if MODE == "misconfigured":
        print("flowork gateway: PORT: not a number", file=sys.stderr)
        sys.exit(78)
    if MODE == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)", str(FILE)])
    server = http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("GATEWAY_PORT", "0"))), Handler)
    if MODE == "polite":
        signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    if MODE != "silent":
        FILE.parent.mkdir(exist_ok=True)
        FILE.with_suffix(".new").write_text(json.dumps({"url": f"http://127.0.0.1:{server.server_port}"}))
        FILE.with_suffix(".new").replace(FILE)
    print("\x1b[31mready", flush=True)
    server.serve_forever()
    print("bye", flush=True)


if __name__ == "__main__":
    main()
