"""Code of others runs in the isolation, with the published shape, and does no harm."""

from __future__ import annotations

import asyncio

import pytest
from pydantic import ValidationError

from core_engine.components.dropin.addresses import named_hosts
from core_engine.components.dropin.shelf import Shelf
from core_engine.kernel.payload import Payload
from shared.contract.run import RunMode
from shared.errors import ErrorCode, FloworkError
from tests.support.tcp import serving

ECHO = """
import json
class Greeter:
    def __init__(self, component_id, services):
        self.services = services
    def execute(self, payload, config, status_updater, mode="EXECUTE", **kwargs):
        {body}
"""


def body(text: str) -> str:
    return ECHO.format(body=text)


async def call(
    shelf: Shelf, step, config=None, data=None, mode: RunMode = RunMode.EXECUTE, name: str = "greeter"
):
    shelf.rescan()
    component = shelf.find(name)
    assert component is not None, dict(shelf.broken)
    step.mode = mode
    payload = Payload({} if data is None else data, ["before"])
    return await component.call(step, component.parse_config(config or {}), payload)


async def test_it_runs_and_its_lines_are_in_the_log(shelf: Shelf, write, step) -> None:
    write()
    result = await call(shelf, step, {"name": "Ada"})
    assert result.outputs["success"].data == {"text": "Hello, Ada!", "mode": "EXECUTE"}
    assert result.outputs["success"].history == ["before"]
    assert step.logs[0][1].startswith("Isolation: ")
    assert ("INFO", "Greeting Ada") in step.logs


async def test_simulating_hands_the_mode_on(shelf: Shelf, write, step) -> None:
    write()
    result = await call(shelf, step, mode=RunMode.SIMULATE)
    assert result.outputs["success"].data["mode"] == "SIMULATE"


async def test_an_async_component_with_on_load_and_validate(shelf: Shelf, write, step) -> None:
    code = """
class Greeter:
    def __init__(self, component_id, services):
        self.loaded = False
    def on_load(self):
        self.loaded = True
    def validate(self, config, connected_ports):
        return (config["name"] != "nobody", "nobody cannot be greeted")
    async def execute(self, payload, config, status_updater, mode="EXECUTE"):
        import asyncio
        await asyncio.sleep(0)
        return {"loaded": self.loaded}
"""
    write(code=code)
    assert (await call(shelf, step)).outputs["success"].data == {"loaded": True}
    with pytest.raises(FloworkError, match="nobody cannot be greeted"):
        await call(shelf, step, {"name": "nobody"})


@pytest.mark.parametrize(
    ("returned", "port", "data"),
    [
        ("return {'payload': {'data': 1, 'history': []}}", "success", 1),
        ("return {'payload': {'a': 1}}", "success", {"a": 1}),
        ("return {'data': 2, 'history': ['x']}", "success", 2),
        ("return 'text'", "success", "text"),
        ("return {'error': 'no', 'payload': {'data': 3}}", "error", 3),
        ("return {'payload': {'data': 4}, 'output_name': 'other'}", "other", 4),
    ],
)
async def test_results_are_read_as_published(shelf, write, step, returned: str, port: str, data) -> None:
    ports = [{"name": name} for name in ("success", "error", "other")]
    write(code=body(returned), output_ports=ports)
    result = await call(shelf, step)
    assert list(result.outputs) == [port]
    assert result.outputs[port].data == data


async def test_an_unknown_port_fails_the_step(shelf, write, step) -> None:
    write(code=body("return {'output_name': 'sideways'}"))
    with pytest.raises(FloworkError, match="sideways"):
        await call(shelf, step)


async def test_an_error_names_the_line_of_the_component(shelf, write, step) -> None:
    write(code=body("raise KeyError('lost')"))
    with pytest.raises(FloworkError, match=r"processor.py line 7: KeyError: 'lost'") as caught:
        await call(shelf, step)
    assert caught.value.code is ErrorCode.COMPONENT_FAILED


@pytest.mark.parametrize(
    "attack",
    [
        "open('/etc/passwd').read()",
        "open(__file__, 'a').write('x')",
        "__import__('socket').create_connection(('127.0.0.1', 9), 1)",
        "__import__('os').posix_spawn('/bin/true', ['true'], {})",
        "__import__('core_engine.settings')",
        "__import__('core_engine')",
        "__import__('os').kill(1, 0)",
        "__import__('ctypes').CDLL(None)['fork']() > 0 or 1 / 0",
    ],
)
async def test_it_reaches_nothing(shelf, write, step, attack: str) -> None:
    write(code=body(f"{attack}\n        return 'out'"))
    with pytest.raises(FloworkError) as caught:
        await call(shelf, step)
    assert caught.value.code is ErrorCode.COMPONENT_FAILED
    assert caught.value.details["reason"] == "raised"


async def test_nothing_of_the_engine_is_in_its_environment(shelf, write, step, monkeypatch) -> None:
    monkeypatch.setenv("FLOWORK_ENGINE_TOKEN", "do-not-show")
    write(code=body("return dict(__import__('os').environ)"))
    result = await call(shelf, step)
    assert "do-not-show" not in str(result)


async def test_a_hang_and_a_crash_end_the_step_alone(shelf, write, step) -> None:
    write(code=body("\n        while True: pass"), timeout_seconds=0.5)
    with pytest.raises(FloworkError) as caught:
        await call(shelf, step)
    assert caught.value.details == {"reason": "time"}
    write(code=body("__import__('os').abort()"))
    with pytest.raises(FloworkError) as caught:
        await call(shelf, step)
    assert caught.value.details == {"reason": "ended"}


async def test_folders_are_opened_as_the_permissions_say(shelf, write, step, root) -> None:
    (root / "notes").mkdir()
    (root / "notes" / "a.txt").write_text("hay")
    code = body("p = config['folder']; open(p + '/b.txt', 'w').write('x'); return open(p + '/a.txt').read()")
    folder = {"id": "folder", "type": "folderpath", "label": "F", "description": "F."}
    given = {"folder": str(root / "notes")}
    write(code=code, properties=[folder], permissions=["files:write"])
    assert (await call(shelf, step, given)).outputs["success"].data == "hay"
    assert (root / "notes" / "b.txt").read_text() == "x"
    (root / "notes" / "b.txt").unlink()
    with pytest.raises(FloworkError):  # simulating opens nothing for writing
        await call(shelf, step, given, mode=RunMode.SIMULATE)
    assert not (root / "notes" / "b.txt").exists()
    for permissions in (["files:read"], []):
        write(code=code, properties=[folder], permissions=permissions)
        with pytest.raises(FloworkError):
            await call(shelf, step, given)
    write(code=code, properties=[folder], permissions=["files:write"])
    with pytest.raises(FloworkError) as caught:
        await call(shelf, step, {"folder": str(root.parent)})
    assert caught.value.code is ErrorCode.FORBIDDEN


async def test_a_needed_variable_is_a_setting_that_names_it(shelf, write, step) -> None:
    code = body("return self.services['variables']")
    write(code=code, requires_variables=[{"name": "API_KEY", "is_secret": True}])
    result = await call(shelf, step, {"API_KEY": "k"})
    assert result.outputs["success"].data == {"API_KEY": "k"}
    component = shelf.find("greeter")
    assert {item.id: item.default for item in component.found.form.properties()}[
        "API_KEY"
    ] == "{{vars.API_KEY}}"
    with pytest.raises(FloworkError, match="API_KEY"):
        await call(shelf, step)


async def test_bad_settings_are_named_field_by_field(shelf, write) -> None:
    write()
    shelf.rescan()
    with pytest.raises(ValidationError) as caught:
        shelf.find("greeter").parse_config({"times": "often", "greeting": "Goodbye"})
    assert sorted(item["loc"][0] for item in caught.value.errors()) == ["greeting", "times"]


async def test_optional_questions_are_answered_in_the_isolation(shelf, write) -> None:
    code = body("return 1") + "    def get_data_preview(self, config):\n        return [config['name']]\n"
    write(code=code)
    shelf.rescan()
    component = shelf.find("greeter")
    settings = component.parse_config({"name": "Ada"})
    assert await component.ask("get_data_preview", settings) == {"value": ["Ada"]}
    assert await component.ask("get_dynamic_ports", settings) == {}


async def test_code_that_chooses_its_ports_may_take_any(shelf, write, step) -> None:
    code = (
        body("return {'output_name': 'made_up'}")
        + "    def get_dynamic_ports(self, config):\n        return []\n"
    )
    write(code=code)
    assert list((await call(shelf, step)).outputs) == ["made_up"]


async def test_hosts_are_reached_as_the_permissions_say(shelf, write, step) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b"HTTP/1.0 200 OK\r\n\r\nhello")
        writer.close()

    async with serving(answer) as port:
        code = body(f"""
            import urllib.request
            return urllib.request.urlopen('http://localhost:{port}/', timeout=10).read().decode()""")
        write(code=code, permissions=[f"network:localhost:{port}"])
        assert (await call(shelf, step)).outputs["success"].data == "hello"
        assert not [text for level, text in step.logs if level == "WARN"]
        for permissions in ([], ["network:localhost"], [f"network:*.localhost:{port}"]):
            write(code=code, permissions=permissions)
            with pytest.raises(FloworkError) as caught:
                await call(shelf, step)
            assert caught.value.code is ErrorCode.COMPONENT_FAILED
        write(code=code, permissions=[f"network:localhost:{port}"])
        with pytest.raises(FloworkError):  # simulating reaches nobody
            await call(shelf, step, mode=RunMode.SIMULATE)


async def test_a_host_that_a_setting_names_is_reached_where_that_is_permitted(shelf, write, step) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b"HTTP/1.0 200 OK\r\n\r\nhello")
        writer.close()

    code = body("""
        import urllib.request
        return urllib.request.urlopen(config['page'], timeout=10).read().decode()""")
    page = {"id": "page", "type": "url", "label": "Page", "description": "Its address."}
    async with serving(answer) as port:
        given = {"page": f"http://LOCALHOST:{port}/a?b=c"}
        write(code=code, properties=[page], permissions=["network"])
        assert (await call(shelf, step, given)).outputs["success"].data == "hello"
        write(code=code, properties=[page], permissions=[])
        with pytest.raises(FloworkError):
            await call(shelf, step, given)


@pytest.mark.parametrize(
    ("text", "entry"),
    [("https://a.example.org/x", "a.example.org:443"), ("ws://u:p@a.b", "a.b:80"),
     ("DB.example.org:5432", "db.example.org:5432"),
     ("a.example.org", "a.example.org"), ("http://10.0.0.1:8080", "10.0.0.1:8080")],
)  # fmt: skip
def test_hosts_are_found_in_settings(text: str, entry: str) -> None:
    assert named_hosts(["a", "b"], {"a": f" {text} ", "b": ""}) == [entry]


@pytest.mark.parametrize(
    "text", ["ftp://a.b", "https://", "*.example.org", "http://[::1]/", "a b", "http://a:99999", "/x"]
)
def test_settings_that_name_no_host_are_told(text: str) -> None:
    with pytest.raises(FloworkError, match="The setting a names no host"):
        named_hosts(["a"], {"a": text})


@pytest.mark.parametrize(
    "text", ["network:localhost:0", "network:localhost:99999", "network:a/b", "network:*"]
)
async def test_a_host_that_is_none_is_no_permission(shelf, write, text: str) -> None:
    write(permissions=[text])
    shelf.rescan()
    assert shelf.find("greeter") is None
    assert list(shelf.broken)
