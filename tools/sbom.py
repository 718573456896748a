"""`python -m tools.sbom FILE`: the bill of materials (CycloneDX 1.6, JSON) of what the lock files ship."""

from __future__ import annotations

import base64
import json
import re
import sys
import tomllib
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from packageurl import PackageURL

from tools.licences.reading import LOCK, PAGE_LOCK, ROOT, known

_ENTRY = re.compile(r"^([a-z0-9][\w.-]*)==(\S+)[^\n]*\n((?:    --hash=[^\n]*\n)+)", re.MULTILINE)
_SHA256 = re.compile(r"sha256:([0-9a-f]{64})")
_SPACE = uuid.UUID("6f1d7d4c-3c9a-4c2e-8c3b-9a3f0f6f5a10")


def make() -> str:
    """Return the document: the same text for the same lock files."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    bom = Bom(components=[*_python(), *_page()])
    bom.metadata.component = Component(
        name=project["name"], version=project["version"], type=ComponentType.APPLICATION, bom_ref="product"
    )
    bom.register_dependency(bom.metadata.component, bom.components)
    bom.metadata.timestamp = datetime(
        2020, 1, 1, tzinfo=UTC
    )  # what is told hangs on the lock files, not on the day
    bom.serial_number = uuid.uuid5(_SPACE, LOCK.read_text() + PAGE_LOCK.read_text())
    return make_outputter(bom, OutputFormat.JSON, SchemaVersion.V1_6).output_as_string(indent=2) + "\n"


def _python() -> Iterator[Component]:
    licences, factory = known()["python"], LicenseFactory()
    for name, version, hashes in sorted(set(_ENTRY.findall(LOCK.read_text()))):
        yield Component(
            name=name, version=version, bom_ref=f"pypi:{name}@{version}", purl=PackageURL("pypi", None, name, version),
            licenses=[factory.make_from_string(licences[name])],
            # One for each file that may be installed: the platform's wheel, or the source.
            properties=[Property(name="flowork:file-sha256", value=item) for item in _SHA256.findall(hashes)],
        )  # fmt: skip


def _page() -> Iterator[Component]:
    licences, factory = known()["page"], LicenseFactory()
    for path, entry in sorted(json.loads(PAGE_LOCK.read_text())["packages"].items()):
        if not path or entry.get("dev"):
            continue
        name = path.rpartition("node_modules/")[2]
        group, _, short = name.rpartition("/")
        digest = base64.b64decode(entry["integrity"].removeprefix("sha512-")).hex()
        yield Component(
            name=name, version=entry["version"], bom_ref=f"npm:{path}@{entry['version']}",
            purl=PackageURL("npm", group or None, short, entry["version"]),
            licenses=[factory.make_from_string(licences[name])],
            hashes=[HashType(alg=HashAlgorithm.SHA_512, content=digest)],
        )  # fmt: skip


def main(arguments: list[str]) -> int:
    """Write the document to the file that is named, or print it."""
    if arguments:
        target = Path(arguments[0])
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(make())
    else:
        sys.stdout.write(make())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
