"""The messages of a conversation, made from settings: texts, earlier messages, images."""

from __future__ import annotations

import base64
from typing import Any, Literal

from pydantic import Field

from core_engine.components.ai.model import Message
from core_engine.components.fields import Part
from core_engine.components.files import open_regular
from core_engine.kernel.context import Files
from shared.errors import ErrorCode, FloworkError

LARGEST_IMAGE = 10 * 1024 * 1024
_KINDS = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
)


class Said(Part):
    """An earlier message."""

    role: Literal["system", "user", "assistant"] = "user"
    content: str = Field(max_length=4_000_000)


def conversation(system: str, earlier: list[Said], prompt: str, images: list[Message]) -> list[Message]:
    """Return the messages to send. Raises FloworkError INVALID_REQUEST when nothing is said."""
    messages: list[Message] = [{"role": "system", "content": system}] if system.strip() else []
    messages += [{"role": said.role, "content": said.content} for said in earlier]
    if images:
        parts = [{"type": "text", "text": prompt}] if prompt else []
        messages.append({"role": "user", "content": [*parts, *images]})
    elif prompt.strip():
        messages.append({"role": "user", "content": prompt})
    if not any(message["role"] == "user" for message in messages):
        raise FloworkError(ErrorCode.INVALID_REQUEST, "There is nothing to ask: the prompt is empty.")
    return messages


def read_images(places: list[str], files: Files) -> list[Message]:
    """Return images as parts of a message: addresses as they are, files with their content. Blocks for the disk."""
    return [{"type": "image_url", "image_url": {"url": _image_url(place, files)}} for place in places]


def texts_of(messages: list[Message]) -> list[dict[str, Any]]:
    """Return a conversation without its images, to be handed on."""
    return [{"role": message["role"], "content": _text_of(message["content"])} for message in messages]


def _text_of(content: Any) -> Any:
    if isinstance(content, list):
        return "\n".join(part["text"] for part in content if part["type"] == "text")
    return content


def _image_url(place: str, files: Files) -> str:
    if place.startswith(("https://", "http://")):
        return place
    path = files.readable(place)
    with open_regular(path) as file:
        content = file.read(LARGEST_IMAGE + 1)
    if len(content) > LARGEST_IMAGE:
        raise FloworkError(ErrorCode.TOO_LARGE, f"{path.name} is larger than {LARGEST_IMAGE >> 20} MiB.")
    return f"data:{_kind_of(content, path.name)};base64,{base64.b64encode(content).decode()}"


def _kind_of(content: bytes, name: str) -> str:
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    for start, kind in _KINDS:
        if content.startswith(start):
            return kind
    raise FloworkError(ErrorCode.UNSUPPORTED_MEDIA, f"{name} is no PNG, JPEG, GIF or WebP image.")
