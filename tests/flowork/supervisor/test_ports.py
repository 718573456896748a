"""A taken port is named before anything is started."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from flowork.supervisor.folder import held, make_private
from flowork.supervisor.ports import LISTENERS, require_free_ports
from shared.errors import ErrorCode, FloworkError

ANY = {item.port_setting: "0" for item in LISTENERS}


@pytest.mark.parametrize("setting", ["GATEWAY_PORT", "ENGINE_SOCKET_PORT", "ENGINE_HTTP_PORT"])
def test_the_port_and_its_setting_are_named(setting: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(FloworkError, match=rf"Port {port} .* {setting}") as caught:
            require_free_ports({**ANY, setting: str(port)})
    assert caught.value.code is ErrorCode.CONFLICT
    require_free_ports({**ANY, setting: str(port)})
    require_free_ports({**ANY, setting: "no number"})


def test_a_folder_is_held_once(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    make_private(folder)
    assert folder.stat().st_mode & 0o777 == 0o700
    lock = folder / "lock"
    with held(lock, "busy"), pytest.raises(FloworkError, match="busy here"), held(lock, "busy here"):
        pass
    with held(folder / "lock", "busy here"):
        pass
    (tmp_path / "file").write_text("")
    with pytest.raises(FloworkError) as caught:
        make_private(tmp_path / "file" / "x")
    assert caught.value.code is ErrorCode.CONFIGURATION
