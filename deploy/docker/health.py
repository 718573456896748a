"""Asks a service of this container whether it is well; the exit code is the answer. Usage: ``health.py URL``."""

# ruff: noqa: INP001 - run by its path, with the standard library alone

from __future__ import annotations

import http.client
import sys
from urllib.parse import urlsplit

SECONDS = 4.0


def main(url: str) -> int:
    """Return 0 when the address answers with a success within the seconds, else 1."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=SECONDS)
    try:
        connection.request("GET", parts.path or "/")
        return 0 if connection.getresponse().status < http.client.BAD_REQUEST else 1
    except (OSError, http.client.HTTPException):
        return 1
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
