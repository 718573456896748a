"""Commands of the file browser."""

from __future__ import annotations

import asyncio

from core_engine.commands.command import CommandContext, command
from core_engine.components.folders import Folder, FolderBrowser, FolderItem
from shared.clock import iso
from shared.contract.files import (
    DirectoryItem,
    DirectoryList,
    DriveItem,
    DrivesList,
    RequestDirectoryList,
    RequestDrives,
)


@command(RequestDrives)
async def request_drives(context: CommandContext, message: RequestDrives) -> DrivesList:  # noqa: ARG001
    """List the roots."""
    return DrivesList(drives=described_roots(context.rooms.folders))


@command(RequestDirectoryList)
async def request_directory_list(context: CommandContext, message: RequestDirectoryList) -> DirectoryList:
    """List a folder inside a root."""
    return described_folder(await asyncio.to_thread(context.rooms.folders.list, message.path))


def described_roots(folders: FolderBrowser) -> list[DriveItem]:
    """Return the roots as they are on the wire."""
    return [DriveItem(name=root.name or str(root), path=str(root)) for root in folders.roots]


def described_folder(folder: Folder) -> DirectoryList:
    """Return a folder's content as it is on the wire."""
    items = [_described(item) for item in folder.items]
    return DirectoryList(path=str(folder.path), items=items, truncated=folder.truncated)


def _described(item: FolderItem) -> DirectoryItem:
    return DirectoryItem(
        name=item.name,
        path=str(item.path),
        is_dir=item.is_dir,
        size=item.size,
        modified=iso(item.modified),
    )
