"""The gateway's own list of packages: all it can import, each as pinned for everything else."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from importlib import metadata

from tests.support.platform import ROOT

OWN = {"gateway", "shared"}
CLIENTS_ONLY = {"eth-account"}  # shared.signing.keys makes signatures; no server process does


def pins(name: str) -> dict[str, str]:
    text = (ROOT / "requirements" / name).read_text()
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+)", text, re.MULTILINE))


def imported() -> Iterator[str]:
    files = [path for package in OWN for path in (ROOT / package).rglob("*.py")]
    for path in files:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                yield from (alias.name.partition(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                yield node.module.partition(".")[0]


def test_the_gateways_list_has_all_that_its_code_imports() -> None:
    providers = metadata.packages_distributions()
    foreign = set(imported()) - OWN - set(sys.stdlib_module_names)
    assert "flask" in foreign
    wanted = {name.lower().replace("_", "-") for module in foreign for name in providers[module]}
    assert wanted - CLIENTS_ONLY <= set(pins("gateway.txt"))


def test_the_gateways_pins_are_those_of_the_whole_project() -> None:
    gateway, everything = pins("gateway.txt"), pins("runtime.txt")
    assert len(gateway) > 20
    assert {name: everything.get(name) for name in gateway} == gateway


def test_every_pin_has_a_hash() -> None:
    text = (ROOT / "requirements" / "gateway.txt").read_text()
    blocks = re.split(r"^(?=[a-z0-9-]+(?:\[[a-z]+\])?==)", text, flags=re.MULTILINE)[1:]
    assert len(blocks) == len(re.findall(r"^[a-z]", text, re.MULTILINE))
    assert all("--hash=sha256:" in block for block in blocks)
