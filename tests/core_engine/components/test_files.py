from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core_engine.components.files import RootedFiles, open_folder, open_regular
from shared.errors import ErrorCode, FloworkError


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "secret.txt").write_text("secret")
    return folder


@pytest.fixture
def files(tmp_path: Path, root: Path) -> RootedFiles:
    (root / "a.txt").write_text("inside")
    (root / "deep").mkdir()
    (root / "deep" / "b.txt").write_text("deeper")
    return RootedFiles([root], tmp_path / "data")


def refused(call, path: str) -> ErrorCode:
    with pytest.raises(FloworkError) as caught:
        call(path)
    return caught.value.code


def test_relative_and_absolute_paths_inside_are_read(files: RootedFiles, root: Path) -> None:
    assert files.readable("a.txt") == root / "a.txt"
    assert files.readable("deep/b.txt").read_text() == "deeper"
    assert files.readable(str(root / "a.txt")) == root / "a.txt"
    assert files.readable("./deep//b.txt") == root / "deep" / "b.txt"


def test_a_missing_file_is_not_found_but_an_outside_one_is_forbidden_whether_it_exists_or_not(
    files: RootedFiles, outside: Path
) -> None:
    assert refused(files.readable, "none.txt") is ErrorCode.NOT_FOUND
    assert refused(files.readable, str(outside / "secret.txt")) is ErrorCode.FORBIDDEN
    assert refused(files.readable, str(outside / "none.txt")) is ErrorCode.FORBIDDEN


@pytest.mark.parametrize(
    "path",
    [
        "..", "../outside/secret.txt", "deep/../../outside/secret.txt", "/etc/passwd", "/proc/self/root/etc/passwd",
        "", "a\0b", "a\nb", "x" * 5000, "deep/" + "y" * 256, "\udc80", ".", "deep", ".hidden", "deep/.git/config",
    ],
)  # fmt: skip
def test_paths_that_lead_elsewhere_are_refused_for_reading_and_writing(files: RootedFiles, path: str) -> None:
    assert refused(files.readable, path) is ErrorCode.FORBIDDEN
    assert refused(files.writable, path) is ErrorCode.FORBIDDEN


def test_a_folder_whose_name_begins_like_a_root_is_outside(
    tmp_path: Path, files: RootedFiles, root: Path
) -> None:
    evil = tmp_path / f"{root.name}-evil"
    evil.mkdir()
    (evil / "x").write_text("x")
    assert refused(files.readable, str(evil / "x")) is ErrorCode.FORBIDDEN


def test_links_that_leave_are_refused_at_every_segment(files: RootedFiles, root: Path, outside: Path) -> None:
    (root / "file-link").symlink_to(outside / "secret.txt")
    (root / "folder-link").symlink_to(outside)
    (root / "deep" / "up").symlink_to("../../outside")
    (root / "chain").symlink_to("folder-link")
    for path in ("file-link", "folder-link/secret.txt", "deep/up/secret.txt", "chain/secret.txt"):
        assert refused(files.readable, path) is ErrorCode.FORBIDDEN
        assert refused(files.writable, path) is ErrorCode.FORBIDDEN
    assert refused(files.writable, "folder-link/new/file.txt") is ErrorCode.FORBIDDEN
    assert not (outside / "new").exists()


def test_a_link_that_stays_inside_is_followed_and_a_loop_is_refused(files: RootedFiles, root: Path) -> None:
    (root / "inner").symlink_to("deep")
    (root / "loop").symlink_to("loop")
    assert files.readable("inner/b.txt") == root / "deep" / "b.txt"
    assert refused(files.readable, "loop/x") is ErrorCode.FORBIDDEN
    assert refused(files.writable, "loop") is ErrorCode.FORBIDDEN


def test_writing_makes_parent_folders_inside(files: RootedFiles, root: Path) -> None:
    assert files.writable("new/report.md") == root / "new" / "report.md"
    assert (root / "new").is_dir()
    assert refused(files.writable, "a.txt/below") is ErrorCode.FORBIDDEN


def test_pipes_are_neither_read_nor_written_and_opening_never_waits(files: RootedFiles, root: Path) -> None:
    os.mkfifo(root / "pipe")
    assert refused(files.readable, "pipe") is ErrorCode.FORBIDDEN
    assert refused(files.writable, "pipe") is ErrorCode.FORBIDDEN
    assert refused(open_regular, root / "pipe") is ErrorCode.FORBIDDEN


def test_a_file_swapped_for_a_link_after_the_check_is_not_opened(
    files: RootedFiles, root: Path, outside: Path
) -> None:
    path = files.readable("a.txt")
    path.unlink()
    path.symlink_to(outside / "secret.txt")
    assert refused(open_regular, path) is ErrorCode.NOT_FOUND


def test_opening_gives_the_content(files: RootedFiles) -> None:
    with open_regular(files.readable("a.txt")) as file:
        assert file.read() == b"inside"


def test_missing_roots_are_made_and_relative_paths_mean_the_first(tmp_path: Path) -> None:
    first, second = tmp_path / "new" / "first", tmp_path / "second"
    files = RootedFiles([first, second], tmp_path / "data")
    assert first.is_dir()
    assert files.writable("x.txt") == first / "x.txt"
    assert files.writable(str(second / "y.txt")) == second / "y.txt"
    assert files.roots == (first, second)


def test_without_a_root_the_engine_does_not_start(tmp_path: Path) -> None:
    assert refused(lambda _: RootedFiles([], tmp_path), "") is ErrorCode.CONFIGURATION


def test_the_platforms_own_data_is_refused_even_when_a_root_contains_it(tmp_path: Path) -> None:
    data = tmp_path / "data"
    for name in ("engine/journal.db", "gateway/gateway.db", "secrets.json", "files/mine.txt"):
        (data / name).parent.mkdir(parents=True, exist_ok=True)
        (data / name).write_text("x")
    wide = RootedFiles([tmp_path, data / "files", data, data / "engine"], data)
    for name in ("engine/journal.db", "gateway/gateway.db", "secrets.json"):
        assert refused(wide.readable, str(data / name)) is ErrorCode.FORBIDDEN
        assert refused(wide.writable, str(data / name)) is ErrorCode.FORBIDDEN
    assert wide.readable(str(data / "files" / "mine.txt")).read_text() == "x"


def test_the_usual_root_inside_the_data_folder_works(tmp_path: Path) -> None:
    files = RootedFiles([tmp_path / "data" / "files"], tmp_path / "data")
    assert files.writable("a/b.txt") == tmp_path / "data" / "files" / "a" / "b.txt"


def test_a_hidden_root_is_allowed_but_hidden_files_in_it_are_not(tmp_path: Path) -> None:
    root = tmp_path / ".cache" / "work"
    files = RootedFiles([root], tmp_path / "data")
    (root / ".env").write_text("KEY=1")
    assert files.writable("x.txt") == root / "x.txt"
    assert refused(files.readable, ".env") is ErrorCode.FORBIDDEN


SEGMENTS = st.sampled_from(
    ["..", ".", "a.txt", "deep", "b.txt", "out", "back", "chain", "", "~", "%2e%2e", "…", " ", "none"]
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300, deadline=None)
@given(st.one_of(st.text(max_size=40), st.lists(SEGMENTS, max_size=6).map("/".join)), st.booleans())
def test_whatever_the_path_the_answer_is_a_refusal_or_inside(
    files: RootedFiles, root: Path, outside: Path, path: str, absolute: bool
) -> None:
    for name, target in (("out", outside), ("back", root), ("chain", root / "out")):
        if not (root / name).is_symlink():
            (root / name).symlink_to(target)
    asked = f"{root}/{path}" if absolute else path
    for call in (files.readable, files.writable):
        try:
            found = call(asked)
        except FloworkError:
            continue
        assert found.resolve().is_relative_to(root)
        assert (outside / "secret.txt").read_text() == "secret"
        assert sorted(entry.name for entry in outside.iterdir()) == ["secret.txt"]


def test_a_folder_swapped_for_a_link_after_the_check_is_not_walked_through(
    files: RootedFiles, root: Path, outside: Path
) -> None:
    (root / "flip" / "below").mkdir(parents=True)
    (root / "flip" / "below" / "secret.txt").write_text("harmless")
    path = files.readable("flip/below/secret.txt")
    (outside / "below").mkdir()
    (outside / "below" / "secret.txt").write_text("secret")
    (root / "flip").rename(root / "kept")
    (root / "flip").symlink_to(outside)
    assert path.read_text() == "secret"  # an ordinary open would be led astray
    assert refused(open_regular, path) is ErrorCode.FORBIDDEN
    assert refused(open_folder, path.parent) is ErrorCode.FORBIDDEN


def test_the_longest_path_and_the_longest_name_are_taken(files: RootedFiles, root: Path) -> None:
    assert files.resolved("y" * 255) == root / ("y" * 255)
    assert refused(files.resolved, "é" * 128) is ErrorCode.FORBIDDEN  # 256 bytes
    longest = "/".join(["a" * 31] * 128)
    assert len(longest) == 4095
    assert files.allows(Path(longest + "/"))
    assert refused(files.resolved, longest + "/a") is ErrorCode.FORBIDDEN
    assert files.resolved(longest + "/") == root / longest


def test_no_sign_that_steers_is_part_of_a_path(files: RootedFiles) -> None:
    for sign in (0, 31, 127, 0xD800, 0xDFFF):
        assert refused(files.resolved, f"a{chr(sign)}b") is ErrorCode.FORBIDDEN
    for sign in (32, 126, 128, 0xD7FF, 0xE000):
        assert files.resolved(f"a{chr(sign)}b").name == f"a{chr(sign)}b"


def test_folders_are_found_and_files_are_none(files: RootedFiles, root: Path, outside: Path) -> None:
    assert files.folder("deep") == root / "deep"
    assert files.folder(".") == root
    assert files.whole_folder("deep") == root / "deep"
    for call in (files.folder, files.whole_folder):
        assert refused(call, "a.txt") is ErrorCode.NOT_FOUND
        assert refused(call, "none") is ErrorCode.NOT_FOUND
        assert refused(call, str(outside)) is ErrorCode.FORBIDDEN


def test_a_folder_that_holds_the_engines_own_is_not_opened_as_a_whole(tmp_path: Path) -> None:
    data = tmp_path / "data"
    (data / "files" / "mine").mkdir(parents=True)
    (data / "engine").mkdir()
    wide = RootedFiles([tmp_path, data / "files"], data)
    assert refused(wide.whole_folder, str(tmp_path)) is ErrorCode.FORBIDDEN
    assert wide.folder(str(tmp_path)) == tmp_path
    assert refused(wide.folder, str(data)) is ErrorCode.FORBIDDEN
    assert wide.whole_folder(str(data / "files")) == data / "files"
    assert wide.whole_folder(str(data / "files" / "mine")) == data / "files" / "mine"


def test_of_the_platforms_data_only_folders_of_their_own_can_be_roots(tmp_path: Path) -> None:
    data = tmp_path / "data"
    for name in ("engine", "gateway", "files", "engineer"):
        (data / name).mkdir(parents=True)
        (data / name / "x").write_text("x")
    for name, code in (("engine", ErrorCode.FORBIDDEN), ("gateway", ErrorCode.FORBIDDEN)):
        assert refused(RootedFiles([data / name], data).readable, "x") is code
        (data / name / "sub").mkdir()
        assert refused(RootedFiles([data / name / "sub"], data).writable, "y") is code
    for name in ("files", "engineer"):
        assert RootedFiles([data / name], data).readable("x") == data / name / "x"
    assert refused(RootedFiles([data], data).readable, "files/x") is ErrorCode.FORBIDDEN


def test_of_two_roots_inside_each_other_the_inner_one_counts(tmp_path: Path) -> None:
    """What is hidden for the outer one is the inner one's own place."""
    inner = tmp_path / ".inner"
    for roots in ([tmp_path, inner], [inner, tmp_path]):
        files = RootedFiles(roots, tmp_path / "data")
        assert files.writable(str(inner / "x.txt")) == inner / "x.txt"
        assert refused(files.writable, str(tmp_path / ".other" / "x.txt")) is ErrorCode.FORBIDDEN
        assert refused(files.writable, str(inner / ".x")) is ErrorCode.FORBIDDEN


def test_what_is_allowed_is_told_without_an_error(files: RootedFiles, root: Path, outside: Path) -> None:
    assert files.allows(root / "a.txt") is True
    assert files.allows(root / "none" / "yet") is True
    assert files.allows(outside) is False
    assert files.allows(root / ".env") is False


def test_a_root_that_is_named_twice_is_one(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "one")
    files = RootedFiles([tmp_path / "one", tmp_path / "two", tmp_path / "link"], tmp_path / "data")
    assert files.roots == (tmp_path / "one", tmp_path / "two")


def test_roots_and_what_is_no_file_are_not_written(files: RootedFiles, root: Path) -> None:
    assert refused(files.writable, str(root)) is ErrorCode.FORBIDDEN
    assert refused(files.writable, "deep") is ErrorCode.FORBIDDEN
    assert files.writable("a.txt") == root / "a.txt"
    assert files.writable("x/y/z") == root / "x" / "y" / "z"
    assert (root / "x" / "y").is_dir()
    assert not (root / "x" / "y" / "z").exists()


def test_a_folder_that_is_swapped_for_a_link_while_it_is_made_is_refused(
    files: RootedFiles, root: Path, outside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The swap happens between the first look and the making of the parent folders."""
    plain = Path.mkdir

    def swapped(path: Path, *given: int, **more: bool) -> None:
        if path == root / "deep" and not path.is_symlink():
            path.rename(root / "away")
            path.symlink_to(outside)
        plain(path, *given, **more)

    monkeypatch.setattr(Path, "mkdir", swapped)
    assert refused(files.writable, "deep/new.txt") is ErrorCode.FORBIDDEN
    assert sorted(path.name for path in outside.iterdir()) == ["secret.txt"]


def test_opened_descriptors_are_for_what_was_asked_and_end_with_it(files: RootedFiles, root: Path) -> None:
    before = os.listdir("/proc/self/fd")  # noqa: PTH208 - counted, not walked
    descriptor = open_folder(root / "deep")
    assert sorted(os.listdir(descriptor)) == ["b.txt"]  # noqa: PTH208 - through the descriptor
    assert not os.get_inheritable(descriptor)
    os.close(descriptor)
    for path in (root / "a.txt", root / "none"):
        assert refused(open_folder, path) is ErrorCode.FORBIDDEN
    os.mkfifo(root / "pipe")
    for path in (root / "deep", root / "pipe"):
        assert refused(open_regular, path) is ErrorCode.FORBIDDEN
    assert refused(open_regular, root / "none") is ErrorCode.NOT_FOUND
    with open_regular(root / "a.txt") as file:
        assert not os.get_inheritable(file.fileno())
    assert len(os.listdir("/proc/self/fd")) == len(before)  # noqa: PTH208 - counted, not walked


def test_a_path_that_goes_up_is_refused_also_where_it_stays_inside(files: RootedFiles, root: Path) -> None:
    for path in ("deep/../a.txt", "deep/..", f"{root}/deep/../a.txt"):
        assert refused(files.readable, path) is ErrorCode.FORBIDDEN
        assert refused(files.resolved, path) is ErrorCode.FORBIDDEN
