"""Changes images."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field
from typing_extensions import override

from core_engine.components.fields import form
from core_engine.components.whole_files import read_whole, write_whole
from core_engine.kernel.component import Component, Config, Execution, StepPolicy
from core_engine.kernel.context import Context
from core_engine.kernel.payload import Payload, Result
from shared.errors import ErrorCode, FloworkError

_ENDINGS = {"jpeg": "jpg"}


class ImageConfig(Config):
    """Which image, and what becomes of it."""

    path: str = Field(
        min_length=1, description="The image, inside the folders that workflows may use.",
        json_schema_extra=form(placeholder="{{ data.path }}"),
    )  # fmt: skip
    operation: Literal["info", "resize", "thumbnail", "crop", "convert"] = Field(
        "info",
        description=(
            "info: tell size and format. resize: to a width and height. thumbnail: no larger than these, never"
            " enlarged. crop: cut out a rectangle. convert: only write it in another format, or without what"
            " cameras add."
        ),
    )
    target: str = Field(
        "", description="The file to write; empty writes beside the image, with the operation in its name.",
        json_schema_extra=form(placeholder="pictures/small.jpg"),
    )  # fmt: skip
    width: int | None = Field(
        None, ge=1, le=30_000, description="Width in pixels; empty follows from the height."
    )
    height: int | None = Field(
        None, ge=1, le=30_000, description="Height in pixels; empty follows from the width."
    )
    fit: Literal["contain", "cover", "stretch"] = Field(
        "contain",
        description=(
            "When width and height are given to resize. contain: as large as fits in. cover: fills it, what hangs"
            " over is cut off. stretch: takes exactly this shape."
        ),
    )
    left: int = Field(0, ge=0, le=1_000_000, description="Left edge of the rectangle to crop, in pixels.")
    top: int = Field(0, ge=0, le=1_000_000, description="Upper edge of the rectangle to crop, in pixels.")
    format: Literal["same", "png", "jpeg", "webp", "gif", "bmp", "tiff"] = Field(
        "same", description="The format to write; same as before by default."
    )
    quality: int = Field(85, ge=1, le=100, description="Quality of JPEG and WebP, 1 to 100.")
    background: str = Field(
        "#ffffff", pattern=r"^#[0-9a-fA-F]{6}$",
        description="What takes the place of transparency in formats that have none.",
    )  # fmt: skip
    strip_metadata: bool = Field(
        True, description="Leave out what cameras add: place, time, device. The colour profile stays."
    )
    max_mib: float = Field(
        32.0, gt=0, le=256, title="Largest file (MiB)", description="A larger file is refused, in MiB."
    )
    max_megapixels: float = Field(
        40.0, gt=0, le=80, description="A larger image, read or written, is refused, in million pixels."
    )


class Image(Component[ImageConfig]):
    """Handles an image."""

    id = "image"
    name = "Image"
    description = (
        "Resizes, crops and converts images, makes thumbnails, and tells an image's size and format."
    )
    category = "Media"
    policy = StepPolicy.KEYED
    execution = Execution.THREAD
    config_model = ImageConfig

    @override
    def policy_for(self, config: ImageConfig) -> StepPolicy:
        """Tell looking, which has no effect, from writing."""
        return StepPolicy.REPEATABLE if config.operation == "info" else StepPolicy.KEYED

    @override
    def execute(self, context: Context, config: ImageConfig, payload: Payload) -> Result:
        """Return ``path``, ``width``, ``height``, ``format``, ``mode``, ``size_bytes``; of what was written, if it was.

        An animation is taken as its first picture. Pictures are turned the way the camera was held.
        """
        from core_engine.components.builtin.image import picture  # noqa: PLC0415 - heavy, only where used

        content = read_whole(context, config.path, config.max_mib)
        opened = picture.open_picture(content, config.max_megapixels)
        if config.operation == "info":
            data = {"path": config.path, "size_bytes": len(content), **picture.facts(opened)}
            return Result.on("success", data, payload.history)
        changed = picture.change(opened, config)
        written, facts = picture.write(changed, opened, config)
        target = config.target or _beside(config.path, config.operation, facts["format"])
        data = {**facts, **write_whole(context, target, written)}
        return Result.on("success", data, payload.history)

    @override
    def simulate(self, context: Context, config: ImageConfig, payload: Payload) -> Result:
        """Write nothing; the size is that of the image as it is, where it can be read."""
        from core_engine.components.builtin.image import picture  # noqa: PLC0415 - heavy, only where used

        data: dict[str, Any] = {"path": config.target or config.path, "simulated": True}
        try:
            content = read_whole(context, config.path, config.max_mib)
        except FloworkError as error:
            if error.code is not ErrorCode.NOT_FOUND:  # an earlier step, simulated too, would have written it
                raise
        else:
            data |= picture.facts(picture.open_picture(content, config.max_megapixels))
        context.log(f"Simulated: would {config.operation} {config.path}.")
        return Result.on("success", data, payload.history)


def _beside(path: str, operation: str, kind: str) -> str:
    stem, dot, ending = path.rpartition(".")
    stem = stem if dot and "/" not in ending else path
    return f"{stem}-{operation}.{_ENDINGS.get(kind, kind)}"
