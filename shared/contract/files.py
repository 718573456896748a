"""The file browser: folders inside the engine's roots (protocol §4.1, §4.5)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from shared.contract.base import Audience, Command, Event, Outgoing, Role


class DriveItem(Outgoing):
    """A root that may be browsed."""

    name: str
    path: str
    is_dir: bool = True
    type: Literal["drive"] = "drive"


class DrivesList(
    Event, name="drives_list_response", relay="FILESYSTEM_LIST_RESPONSE", audience=Audience.CALLER
):
    """The roots."""

    type: str = "drives_list_response"
    drives: list[DriveItem]
    request_id: str | None = None


class RequestDrives(Command, name="request_drives", reply=DrivesList, role=Role.RUNNER):
    """List the roots that workflows may use."""


class DirectoryItem(Outgoing):
    """A file or folder; ``size`` in bytes, ``modified`` ISO 8601 in UTC."""

    name: str
    path: str
    is_dir: bool
    size: int | None = None
    modified: str | None = None


class DirectoryList(
    Event, name="directory_list_response", relay="FILESYSTEM_LIST_RESPONSE", audience=Audience.CALLER
):
    """The content of a folder, folders first, by name; hidden and secret files are left out."""

    type: str = "directory_list_response"
    path: str
    items: list[DirectoryItem]
    truncated: bool = False
    request_id: str | None = None


class RequestDirectoryList(Command, name="request_directory_list", reply=DirectoryList, role=Role.RUNNER):
    """List a folder inside a root."""

    path: str = Field(max_length=4096)
