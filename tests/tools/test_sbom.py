"""The bill of materials names everything that the lock files ship, with hashes, and is the same each time."""

from __future__ import annotations

import json
from pathlib import Path

from tools import sbom
from tools.licences.reading import bundled, locked


def test_everything_that_is_locked_is_named_with_its_hashes(tmp_path: Path) -> None:
    target = tmp_path / "new" / "sbom.json"
    assert sbom.main([str(target)]) == 0
    document = json.loads(target.read_text())
    python, page = [], []
    for item in document["components"]:
        assert item["licenses"], item["name"]
        assert item.get("hashes") or item["properties"], item["name"]
        (page if item["purl"].startswith("pkg:npm/") else python).append(item["name"])
    assert sorted(set(python)) == locked()
    assert sorted(set(page)) == sorted(bundled())
    assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.6")
    assert target.read_text() == sbom.make()
