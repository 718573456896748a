"""The file browser over REST."""

from __future__ import annotations

import asyncio

from core_engine.commands.files import described_folder, described_roots
from core_engine.components.folders import FolderBrowser
from core_engine.rest.exchange import RestRequest
from core_engine.rest.router import answers
from shared.contract.files import DirectoryList, DriveItem
from shared.contract.proxied import LIST_DRIVES, LIST_FOLDER
from shared.errors import ErrorCode, FloworkError

LONGEST_PATH = 4096


class FileResource:
    """Answers what is inside the roots."""

    def __init__(self, folders: FolderBrowser) -> None:
        self._folders = folders

    @answers(LIST_DRIVES)
    async def drives(self) -> list[DriveItem]:
        """List the roots."""
        return described_roots(self._folders)

    @answers(LIST_FOLDER)
    async def folder(self, request: RestRequest) -> DirectoryList:
        """List the folder that ``?path=`` names."""
        path = request.query.get("path", "")
        if not path or len(path) > LONGEST_PATH:
            problems = [{"field": "path", "problem": "Field required"}]
            raise FloworkError(
                ErrorCode.INVALID_REQUEST,
                "Name the folder as ?path=, in up to 4096 characters.",
                details=problems,
            )
        return described_folder(await asyncio.to_thread(self._folders.list, path))
