"""Pictures in memory: opened within a limit, changed, and written.

Imported only when an image is handled, because the library is large.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from PIL import Image, ImageOps, UnidentifiedImageError

from shared.errors import ErrorCode, FloworkError

if TYPE_CHECKING:
    from core_engine.components.builtin.image.component import ImageConfig

READ_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "AVIF", "ICO")
_MEGA = 1_000_000
_WRITTEN = {"png", "jpeg", "webp", "gif", "bmp", "tiff"}
_WITHOUT_ALPHA = {"jpeg", "bmp"}
_BROKEN = (OSError, ValueError, SyntaxError, EOFError, IndexError, KeyError, TypeError, MemoryError)


def open_picture(content: bytes, max_megapixels: float) -> Image.Image:
    """Return the first picture of a file, its pixels not read yet; raises UNSUPPORTED_MEDIA or TOO_LARGE."""
    try:
        opened = Image.open(io.BytesIO(content), formats=READ_FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_large(max_megapixels) from error
    except UnidentifiedImageError as error:
        message = f"The file is no image of a known kind ({', '.join(READ_FORMATS)})."
        raise FloworkError(ErrorCode.UNSUPPORTED_MEDIA, message) from error
    except _BROKEN as error:
        raise _broken(error) from error
    _check_size(opened.size, max_megapixels)
    return opened


def facts(opened: Image.Image) -> dict[str, Any]:
    """Return ``width``, ``height``, ``format``, ``mode`` and ``frames``."""
    return {
        "width": opened.width,
        "height": opened.height,
        "format": (opened.format or "").lower(),
        "mode": opened.mode,
        "frames": getattr(opened, "n_frames", 1),
    }


def change(opened: Image.Image, config: ImageConfig) -> Image.Image:
    """Return the changed picture; raises INVALID_REQUEST, TOO_LARGE or COMPONENT_FAILED."""
    try:
        upright = ImageOps.exif_transpose(opened)
        upright.load()
    except _BROKEN as error:
        raise _broken(error) from error
    if config.operation == "convert":
        return upright
    if config.operation == "crop":
        return _crop(upright, config)
    size = _wanted_size(upright, config)
    _check_size(size, config.max_megapixels)
    if upright.mode in {"P", "1"}:  # palettes cannot be mixed
        upright = upright.convert("RGBA" if upright.has_transparency_data else "RGB")
    if config.operation == "thumbnail":
        upright.thumbnail(size, Image.Resampling.LANCZOS)
        return upright
    if config.fit == "cover" and config.width and config.height:
        return ImageOps.fit(upright, size, Image.Resampling.LANCZOS)
    if config.fit == "contain" and config.width and config.height:
        return ImageOps.contain(upright, size, Image.Resampling.LANCZOS)
    return upright.resize(size, Image.Resampling.LANCZOS)


def write(changed: Image.Image, opened: Image.Image, config: ImageConfig) -> tuple[bytes, dict[str, Any]]:
    """Return the file's content and the facts of it; raises UNSUPPORTED_MEDIA for a format that is only read."""
    kind = (opened.format or "").lower() if config.format == "same" else config.format
    if kind not in _WRITTEN:
        message = f"Images of the kind {kind} are only read; choose a format to write."
        raise FloworkError(ErrorCode.UNSUPPORTED_MEDIA, message)
    options: dict[str, Any] = {"quality": config.quality} if kind in {"jpeg", "webp"} else {}
    if profile := opened.info.get("icc_profile"):
        options["icc_profile"] = profile
    bare = _flattened(changed, config.background) if kind in _WITHOUT_ALPHA else changed
    bare = _without_remarks(bare)
    if not config.strip_metadata:
        options["exif"] = ImageOps.exif_transpose(opened).getexif()
    out = io.BytesIO()
    try:
        bare.save(out, kind.upper(), **options)
    except _BROKEN as error:
        raise FloworkError(ErrorCode.COMPONENT_FAILED, f"The image cannot be written: {error}.") from error
    return out.getvalue(), {"width": bare.width, "height": bare.height, "format": kind, "mode": bare.mode}


def _crop(upright: Image.Image, config: ImageConfig) -> Image.Image:
    right = upright.width if config.width is None else config.left + config.width
    lower = upright.height if config.height is None else config.top + config.height
    if right > upright.width or lower > upright.height or right <= config.left or lower <= config.top:
        message = f"The rectangle is not inside the image of {upright.width} by {upright.height} pixels."
        raise FloworkError(ErrorCode.INVALID_REQUEST, message)
    return upright.crop((config.left, config.top, right, lower))


def _wanted_size(upright: Image.Image, config: ImageConfig) -> tuple[int, int]:
    width, height = config.width, config.height
    if width is None and height is None:
        raise FloworkError(ErrorCode.INVALID_REQUEST, "Set a width, a height or both.")
    if width is None:
        width = max(round(upright.width * (height or 1) / upright.height), 1)
    if height is None:
        height = max(round(upright.height * width / upright.width), 1)
    return width, height


def _flattened(changed: Image.Image, background: str) -> Image.Image:
    if not changed.has_transparency_data:
        return changed if changed.mode in {"L", "RGB"} else changed.convert("RGB")
    layer = changed.convert("RGBA")
    ground = Image.new("RGBA", layer.size, background)
    return Image.alpha_composite(ground, layer).convert("RGB")


def _without_remarks(picture: Image.Image) -> Image.Image:
    """Return a copy whose file holds nothing but pixels: writers take texts and comments from ``info``."""
    bare = picture.copy()
    bare.info = {name: value for name, value in picture.info.items() if name == "transparency"}
    return bare


def _check_size(size: tuple[int, int], max_megapixels: float) -> None:
    if size[0] * size[1] > max_megapixels * _MEGA:
        raise _too_large(max_megapixels)


def _too_large(max_megapixels: float) -> FloworkError:
    return FloworkError(
        ErrorCode.TOO_LARGE,
        f"The image has more than {max_megapixels:g} million pixels, the most that is taken.",
    )


def _broken(error: Exception) -> FloworkError:
    return FloworkError(
        ErrorCode.COMPONENT_FAILED, f"The image is damaged: {str(error) or type(error).__name__}."
    )
