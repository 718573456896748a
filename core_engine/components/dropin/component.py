"""A component of others as the engine sees it: its manifest, its typed settings, and a call into the isolation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, cast

from typing_extensions import override

from core_engine.components.dropin.form import DropinConfig, schema_of
from core_engine.components.dropin.found import Found
from core_engine.components.isolation.hosts import Hosts
from core_engine.components.isolation.rungs import Openings, Task
from core_engine.components.isolation.sandbox import Bounds, Sandbox
from core_engine.components.manifest import GUARANTEES
from core_engine.kernel.component import Component, Execution, Port, StepPolicy
from core_engine.kernel.context import Context, Files
from core_engine.kernel.payload import Payload, Result
from shared.contract.component import ManifestInfo, PortInfo
from shared.contract.run import RunMode
from shared.errors import ErrorCode, FloworkError

_POLICIES = {"none": StepPolicy.REPEATABLE, "keyed": StepPolicy.KEYED, "once": StepPolicy.ONCE}
_DEFAULT_OUTPUTS = (Port("success", "Success"), Port("error", "Error"))
_FAILURES = ("failure", "error")
_STARTS = ("start", "trigger")


class IsolatedComponent(Component[DropinConfig]):
    """Base of the classes made by `make_class`; its code runs in a locked child, in every mode."""

    id = "dropin"
    execution = Execution.ASYNC
    found: ClassVar[Found]

    def __init__(self, packages: tuple[str, ...], sandbox: Sandbox) -> None:
        self.packages = packages
        self._sandbox = sandbox

    @override
    async def execute(self, context: Context, config: DropinConfig, payload: Payload) -> Result:
        """Run the component's `execute` and read what it gives back (protocol §5.3-5.4)."""
        return await self._run(context, config, payload, RunMode.EXECUTE)

    @override
    async def simulate(self, context: Context, config: DropinConfig, payload: Payload) -> Result:
        """Do the same with mode SIMULATE; no folder is writable then, and no host is reached."""
        return await self._run(context, config, payload, RunMode.SIMULATE)

    async def ask(self, method: str, config: DropinConfig) -> dict[str, Any]:
        """Call an optional method that takes the settings; return ``{"value": …}``, or ``{}`` where it has none."""
        request = self._request(method, config)
        openings = Openings(readable=self._readable())
        value = await self._sandbox.call(Task.COMPONENT, request, self._bounds(), lambda *_: None, openings)
        return value if isinstance(value, dict) else {}

    async def _run(self, context: Context, config: DropinConfig, payload: Payload, mode: RunMode) -> Result:
        for permission in self.found.permissions:
            if not permission.given:
                context.log(f"Not given to this component: {permission.text}.", "WARN")
        request = self._request("execute", config) | {
            "payload": payload.to_wire(),
            "mode": mode.value,
            "step": {
                "idempotency_key": context.idempotency_key, "run_id": context.run_id,
                "node_id": context.node_id, "attempt": context.attempt,
            },
        }  # fmt: skip
        openings = self._openings(context.files, config.values(), mode)
        answer = await self._sandbox.call(Task.COMPONENT, request, self._bounds(), context.log, openings)
        value = answer.get("value") if isinstance(answer, dict) else None
        port = _port(self.id, self.outputs, value)
        names = {item.name for item in self.outputs}
        if port not in names and not self.open_ports and port not in {"success", *_FAILURES}:
            known = ", ".join(sorted(names))
            raise FloworkError(
                ErrorCode.COMPONENT_FAILED, f"The component chose the port {port!r}; it has {known}."
            )
        return Result({port: normalised(value, payload)})

    def _request(self, method: str, config: DropinConfig) -> dict[str, Any]:
        entry, values = self.found.entry, config.values()
        return {
            "method": method,
            "folder": str(self.found.folder),
            "paths": list(self.packages),
            "file": entry.file,
            "module": entry.module,
            "class": entry.name,
            "component_id": self.id,
            "config": values,
            "connected_ports": [],
            "variables": _variables(self.found, values),
        }

    def _bounds(self) -> Bounds:
        manifest = self.found.manifest
        return Bounds(manifest.timeout_seconds, manifest.memory_mb)

    def _readable(self) -> tuple[str, ...]:
        return (str(self.found.folder), *self.packages)

    def _openings(self, files: Files, values: Mapping[str, Any], mode: RunMode) -> Openings:
        """Open what the permissions name: folders inside those that workflows may use, and hosts, simulating none."""
        readable = list(self._readable())
        writable: list[str] = []
        named = [values[name] for name in self.found.form.folders if isinstance(values.get(name), str)]
        for permission in self.found.permissions:
            if permission.access is None:
                continue
            paths = [permission.folder] if permission.folder else [name for name in named if name]
            real = [str(files.whole_folder(path)) for path in paths]
            write = permission.access == "write" and mode is not RunMode.SIMULATE
            (writable if write else readable).extend(real)
        hosts = [item.host for item in self.found.permissions if item.host and mode is not RunMode.SIMULATE]
        return Openings(tuple(dict.fromkeys(readable)), tuple(dict.fromkeys(writable)), Hosts.read(hosts))


def make_class(found: Found) -> type[IsolatedComponent]:
    """Return the component class of a folder; nothing of the folder's code is run."""
    manifest = found.manifest
    members: dict[str, Any] = {
        "__doc__": manifest.description or manifest.name,
        "found": found,
        "id": manifest.id,
        "name": manifest.name,
        "description": manifest.description or manifest.name,
        "category": manifest.category,
        "version": manifest.version,
        "kind": manifest.type,
        "component_type": manifest.component_type,
        "inputs": _inputs(found),
        "outputs": tuple(_ports(manifest.output_ports)) or _DEFAULT_OUTPUTS,
        "policy": _POLICIES[manifest.effect],
        "config_model": found.form.model,
        "raw_fields": found.form.raw_fields,
        "open_ports": found.open_ports,
    }
    return cast("type[IsolatedComponent]", type("DropinComponent", (IsolatedComponent,), members))


def describe(found: Found) -> ManifestInfo:
    """Return the published manifest, complete, with ours beside it."""
    manifest, kind = found.manifest, make_class(found)
    return ManifestInfo(
        id=manifest.id,
        name=manifest.name,
        version=manifest.version,
        author=manifest.author,
        description=kind.description,
        type=manifest.type,
        category=manifest.category,
        tier=manifest.tier,
        requires_input=manifest.requires_input,
        input_ports=[_info(port) for port in kind.inputs],
        output_ports=[_info(port) for port in kind.outputs],
        properties=found.form.properties(),
        ui_schema=found.form.ui_schema(manifest),
        behaviors=list(manifest.behaviors),
        icon_file=found.icon.name if found.icon else None,
        config_schema=schema_of(found.form.model),
        guarantee=GUARANTEES[_POLICIES[manifest.effect]],
    )


def normalised(value: Any, payload: Payload) -> Payload:
    """Return a result's payload as the protocol reads it (§5.3); the history goes on where none is given."""
    inner = value
    if isinstance(value, dict):
        if "payload" in value:
            inner = value["payload"]
        elif "data" not in value:
            inner = {"data": {key: item for key, item in value.items() if key != "output_name"}}
    given = Payload.from_value(inner)
    kept = isinstance(inner, dict) and isinstance(inner.get("history"), list)
    return given if kept else Payload(given.data, payload.history)


def _port(component_id: str, outputs: tuple[Port, ...], value: Any) -> str:
    """Return the active port (§5.4)."""
    names = {item.name for item in outputs}
    if isinstance(value, dict) and isinstance(value.get("output_name"), str) and value["output_name"]:
        return str(value["output_name"])
    if isinstance(value, dict) and "error" in value:
        return next((name for name in _FAILURES if name in names), "error")
    starts = any(word in component_id.lower() for word in _STARTS)
    return "output" if starts and "output" in names else "success"


def _variables(found: Found, values: Mapping[str, Any]) -> dict[str, Any]:
    made = {}
    for item in found.manifest.requires_variables:
        value = values.get(item.name)
        if isinstance(value, str) and value.startswith("{{"):  # the default, which nobody has filled in
            raise FloworkError(
                ErrorCode.INVALID_WORKFLOW,
                f"This component needs the variable {item.name}: set its setting {item.name}.",
            )
        made[item.name] = value
    return made


def _inputs(found: Found) -> tuple[Port, ...]:
    if not found.manifest.requires_input:
        return ()
    return tuple(_ports(found.manifest.input_ports)) or (Port("input", "Input"),)


def _ports(entries: Any) -> list[Port]:
    return [Port(item.name, item.display_name or item.name, item.tooltip) for item in entries]


def _info(port: Port) -> PortInfo:
    return PortInfo(name=port.name, display_name=port.label, tooltip=port.hint)
