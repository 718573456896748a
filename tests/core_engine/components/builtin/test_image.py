"""The image step on real images."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from core_engine.kernel.component import StepPolicy
from shared.contract.run import RunMode
from shared.errors import ErrorCode, FloworkError


def draw(
    root: Path, name: str = "a.png", size: tuple[int, int] = (40, 20), mode: str = "RGB", **options: Any
) -> None:
    picture = Image.new(mode, size, (200, 30, 30, 0)[: len(mode)] if len(mode) > 2 else 1)
    picture.putpixel((0, 0), (0, 255, 0, 255)[: len(mode)] if len(mode) > 2 else 0)
    picture.save(root / name, **options)


async def failure(run, config: dict[str, Any]) -> FloworkError:
    with pytest.raises(FloworkError) as caught:
        await run("image", config)
    return caught.value


async def test_an_image_is_described_and_nothing_written(run, root: Path) -> None:
    draw(root)
    data = (await run("image", {"path": "a.png"})).outputs["success"].data
    assert (data["width"], data["height"], data["format"], data["mode"], data["frames"]) == (
        40,
        20,
        "png",
        "RGB",
        1,
    )
    assert data["size_bytes"] == (root / "a.png").stat().st_size
    assert [path.name for path in root.iterdir()] == ["a.png"]


@pytest.mark.parametrize(
    ("config", "size"),
    [
        ({"operation": "resize", "width": 80}, (80, 40)),
        ({"operation": "resize", "height": 5}, (10, 5)),
        ({"operation": "resize", "width": 10, "height": 10}, (10, 5)),
        ({"operation": "resize", "width": 10, "height": 10, "fit": "cover"}, (10, 10)),
        ({"operation": "resize", "width": 7, "height": 9, "fit": "stretch"}, (7, 9)),
        ({"operation": "thumbnail", "width": 10, "height": 10}, (10, 5)),
        ({"operation": "thumbnail", "width": 100, "height": 100}, (40, 20)),
        ({"operation": "crop", "left": 30, "top": 5, "width": 10}, (10, 15)),
        ({"operation": "convert"}, (40, 20)),
    ],
)
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "1", "P"])
async def test_every_operation_gives_its_size(run, root: Path, config, size, mode: str) -> None:
    draw(root, mode="RGBA" if mode == "P" else mode)
    if mode == "P":
        Image.open(root / "a.png").convert("P").save(root / "a.png")
    data = (await run("image", {"path": "a.png", "target": "out/b.png", **config})).outputs["success"].data
    with Image.open(root / "out" / "b.png") as written:
        assert written.size == size == (data["width"], data["height"])
    assert data["path"] == str(root / "out" / "b.png")


async def test_without_a_target_the_file_stands_beside(run, root: Path) -> None:
    draw(root)
    await run("image", {"path": "a.png", "operation": "convert", "format": "jpeg"})
    await run("image", {"path": "a.png", "operation": "convert"})
    assert sorted(path.name for path in root.iterdir()) == ["a-convert.jpg", "a-convert.png", "a.png"]


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp", "gif", "bmp", "tiff"])
async def test_every_format_is_written(run, root: Path, kind: str) -> None:
    draw(root, mode="RGBA")
    config = {"path": "a.png", "operation": "convert", "format": kind, "target": "b", "background": "#0000ff"}
    assert (await run("image", config)).outputs["success"].data["format"] == kind
    with Image.open(root / "b") as written:
        assert (written.format or "").lower() == kind
        if kind == "bmp":
            assert written.getpixel((20, 10)) == (0, 0, 255)


@pytest.mark.parametrize("strip", [True, False])
async def test_what_cameras_add_goes_and_the_picture_stands_upright(run, root: Path, strip: bool) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # held on its side
    exif[0x010F] = "A maker"
    draw(root, "a.jpg", exif=exif, comment=b"a remark")
    config = {"path": "a.jpg", "operation": "convert", "target": "b.jpg", "strip_metadata": strip}
    await run("image", config)
    with Image.open(root / "b.jpg") as written:
        assert written.size == (20, 40)
        assert written.getexif().get(0x010F) == (None if strip else "A maker")
        assert 0x0112 not in written.getexif()
        assert "comment" not in written.info


def bomb(width: int, height: int) -> bytes:
    """A PNG that says it is large and holds next to nothing."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("size", [(8000, 8000), (12_000, 12_000), (60_000, 60_000)])
async def test_a_decompression_bomb_is_refused_before_it_is_opened(run, root: Path, size) -> None:
    (root / "a.png").write_bytes(bomb(*size))
    for operation in ("info", "convert"):
        assert (await failure(run, {"path": "a.png", "operation": operation})).code is ErrorCode.TOO_LARGE


@pytest.mark.parametrize(
    ("config", "code"),
    [
        ({"path": "../a.png"}, ErrorCode.FORBIDDEN),
        ({"path": "none.png"}, ErrorCode.NOT_FOUND),
        ({"path": "text.png"}, ErrorCode.UNSUPPORTED_MEDIA),
        ({"path": "cut.png", "operation": "convert"}, ErrorCode.COMPONENT_FAILED),
        ({"path": "a.png", "max_mib": 0.00001}, ErrorCode.TOO_LARGE),
        ({"path": "a.png", "operation": "resize"}, ErrorCode.INVALID_REQUEST),
        ({"path": "a.png", "operation": "resize", "width": 30_000, "height": 30_000}, ErrorCode.TOO_LARGE),
        ({"path": "a.png", "operation": "crop", "left": 40}, ErrorCode.INVALID_REQUEST),
        ({"path": "a.png", "operation": "crop", "width": 41}, ErrorCode.INVALID_REQUEST),
        ({"path": "a.png", "operation": "convert", "target": "../b.png"}, ErrorCode.FORBIDDEN),
        ({"path": "a.ppm", "operation": "convert"}, ErrorCode.UNSUPPORTED_MEDIA),
    ],
)
async def test_what_cannot_be_done_is_said(run, root: Path, config, code: ErrorCode) -> None:
    draw(root)
    draw(root, "a.ppm")
    (root / "text.png").write_text("%!PS-Adobe-3.0 EPSF-3.0\n")
    noise = io.BytesIO()
    Image.effect_noise((64, 64), 50).save(noise, "PNG")
    (root / "cut.png").write_bytes(noise.getvalue()[:500])
    assert (await failure(run, config)).code is code


async def test_simulating_writes_nothing_also_without_the_image(run, root: Path) -> None:
    config = {"path": "a.png", "operation": "resize", "width": 10, "target": "b.png"}
    missing = (await run("image", config, mode=RunMode.SIMULATE)).outputs["success"].data
    draw(root)
    there = (await run("image", config, mode=RunMode.SIMULATE)).outputs["success"].data
    assert (missing["simulated"], there["width"]) == (True, 40)
    assert [path.name for path in root.iterdir()] == ["a.png"]


def test_only_writing_is_more_than_looking(registry) -> None:
    component = registry.find("image")
    policies = [
        component.policy_for(component.parse_config({"path": "a", "operation": operation}))
        for operation in ("info", "crop")
    ]
    assert policies == [StepPolicy.REPEATABLE, StepPolicy.KEYED]
