"""Z9: no zip file writes anything outside the folder it is unpacked into."""

from __future__ import annotations

import io
import shutil
import warnings
import zipfile
from contextlib import suppress
from pathlib import Path

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from core_engine.components.dropin.package import unpack
from core_engine.components.dropin.problem import UnusableError

PARTS = st.sampled_from(
    ["..", ".", "", "a", "b", "C:", "~", "component.json", "\\", "/etc", "a\0b", "ä", "\u202e", "con"]
)
NAMES = st.lists(PARTS, min_size=1, max_size=4).map("/".join) | st.text(max_size=12)
FLAGS = st.sampled_from([0o100644, 0o120777, 0o040755, 0o010644, 0o020644, 0])
ENTRIES = st.lists(st.tuples(NAMES, FLAGS, st.binary(max_size=20)), max_size=5)
CUTS = st.lists(st.tuples(st.integers(0, 2000), st.binary(min_size=1, max_size=4)), max_size=3)


def zipped(entries: list[tuple[str, int, bytes]], cuts: list[tuple[int, bytes]]) -> bytes:
    made = io.BytesIO()
    with (
        warnings.catch_warnings(action="ignore"),
        zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        for name, mode, content in entries:
            item = zipfile.ZipInfo("x")
            item.filename = name
            item.external_attr = mode << 16
            item.compress_type = zipfile.ZIP_DEFLATED
            with suppress(ValueError, UnicodeError):
                archive.writestr(item, content)
    package = bytearray(made.getvalue())
    for place, new in cuts:
        at = place % len(package)
        package[at : at + len(new)] = new
    return bytes(package)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(entries=ENTRIES, cuts=CUTS)
@example(entries=[("", 0o100644, b"")], cuts=[])
@example(entries=[("../x", 0o100644, b"")], cuts=[])
@example(entries=[("a", 0o120777, b"/etc/passwd")], cuts=[])
def test_z9_a_package_is_unpacked_inside_or_not_at_all(
    entries: list[tuple[str, int, bytes]], cuts: list[tuple[int, bytes]], tmp_path: Path
) -> None:
    around = tmp_path / "around"
    shutil.rmtree(around, ignore_errors=True)
    around.mkdir()
    target = around / "inside"
    try:
        unpack(zipped(entries, cuts), target)
    except UnusableError:
        assert not target.exists(), "something was written before the refusal"
    left = list(around.iterdir())
    assert left in ([], [target])
    for path in target.rglob("*"):
        assert path.resolve().is_relative_to(target)
        assert not path.is_symlink()
        assert path.is_file() or path.is_dir()
