"""The least that answers JSON with Flask: what B5 is compared with."""

from __future__ import annotations

from flask import Flask

app = Flask(__name__)


@app.get("/api/v1/user/engines")
def engines() -> list[dict[str, str]]:
    """Answer a list of one."""
    return [{"id": "engine", "name": "Engine", "status": "offline"}]
