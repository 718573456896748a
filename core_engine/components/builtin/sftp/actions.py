"""What can be done with the files of a server."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import posixpath
import stat
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import asyncssh

from core_engine.components.builtin.sftp.component import SftpConfig
from core_engine.components.drafts import Draft
from core_engine.components.files import open_regular
from core_engine.kernel.context import Context
from shared.errors import ErrorCode, FloworkError

_CHUNK_BYTES = 256 * 1024
_MIB = 1024 * 1024
_CLEANING_SECONDS = 5.0


async def act(client: asyncssh.SFTPClient, config: SftpConfig, context: Context) -> dict[str, Any]:
    """Do what the settings say; raises FloworkError or the library's errors."""
    match config.action:
        case "list":
            return await _list(client, config)
        case "download":
            return await _download(client, config, context)
        case "upload":
            return await _upload(client, config, context)
        case "delete":
            await client.remove(config.remote_path)
        case "make_folder":
            await client.makedirs(config.remote_path, exist_ok=True)
    return {"remote_path": config.remote_path}


async def _list(client: asyncssh.SFTPClient, config: SftpConfig) -> dict[str, Any]:
    items: list[dict[str, Any]] = []
    truncated = False
    async for entry in client.scandir(config.remote_path):
        name = (
            entry.filename if isinstance(entry.filename, str) else entry.filename.decode("utf-8", "replace")
        )
        if name in {".", ".."}:
            continue
        if len(items) >= config.limit:
            truncated = True
            break
        items.append(_describe(config, name, entry.attrs))
    items.sort(key=lambda item: item["name"])
    return {"remote_path": config.remote_path, "items": items, "count": len(items), "truncated": truncated}


def _describe(config: SftpConfig, name: str, facts: asyncssh.SFTPAttrs) -> dict[str, Any]:
    mode = facts.permissions or 0
    kinds = {stat.S_IFDIR: "folder", stat.S_IFLNK: "link"}
    changed = datetime.fromtimestamp(facts.mtime, UTC).isoformat() if facts.mtime is not None else None
    return {
        "name": name, "path": posixpath.join(config.remote_path, name), "kind": kinds.get(stat.S_IFMT(mode), "file"),
        "size_bytes": facts.size or 0, "modified": changed,
    }  # fmt: skip


async def _download(client: asyncssh.SFTPClient, config: SftpConfig, context: Context) -> dict[str, Any]:
    limit = int(config.max_mib * _MIB)
    path = await asyncio.to_thread(context.files.writable, config.local_path)
    async with client.open(config.remote_path, "rb") as remote:
        with Draft(path, context.idempotency_key) as draft:
            while chunk := await remote.read(_CHUNK_BYTES):
                content = cast("bytes", chunk)  # opened for bytes, whatever the library's types say
                if draft.size + len(content) > limit:
                    raise FloworkError(
                        ErrorCode.TOO_LARGE, f"The file is larger than {config.max_mib:g} MiB."
                    )
                await asyncio.to_thread(draft.write, content)
            await asyncio.to_thread(draft.commit, overwrite=config.overwrite)
    return {
        "path": str(path), "remote_path": config.remote_path, "size_bytes": draft.size, "sha256": draft.sha256,
    }  # fmt: skip


async def _upload(client: asyncssh.SFTPClient, config: SftpConfig, context: Context) -> dict[str, Any]:
    """Upload beside the target and rename, so nobody on the server sees a part."""
    path = context.files.readable(config.local_path)
    mark = hashlib.sha256(f"{config.remote_path}\n{context.idempotency_key}".encode()).hexdigest()[:24]
    temporary = posixpath.join(posixpath.dirname(config.remote_path), f".{mark}.part")
    try:
        size, checksum = await _send(client, path, temporary, config)
        await _settle(client, temporary, config)
    except BaseException:
        with contextlib.suppress(asyncssh.Error, OSError):  # a time-out is one of these
            async with asyncio.timeout(_CLEANING_SECONDS):
                await client.remove(temporary)
        raise
    return {
        "path": str(path), "remote_path": config.remote_path, "size_bytes": size, "sha256": checksum,
    }  # fmt: skip


async def _send(
    client: asyncssh.SFTPClient, path: Path, temporary: str, config: SftpConfig
) -> tuple[int, str]:
    limit = int(config.max_mib * _MIB)
    made = hashlib.sha256()
    size = 0
    with open_regular(path) as file:
        async with client.open(temporary, "wb") as remote:
            while chunk := await asyncio.to_thread(file.read, _CHUNK_BYTES):
                size += len(chunk)
                if size > limit:
                    raise FloworkError(
                        ErrorCode.TOO_LARGE, f"The file is larger than {config.max_mib:g} MiB."
                    )
                made.update(chunk)
                await remote.write(chunk)
    return size, made.hexdigest()


async def _settle(client: asyncssh.SFTPClient, temporary: str, config: SftpConfig) -> None:
    if config.overwrite:
        await client.posix_rename(temporary, config.remote_path)
    elif await client.exists(config.remote_path):
        raise FloworkError(ErrorCode.CONFLICT, f"There is a {config.remote_path!r} on {config.host} already.")
    else:
        await client.rename(temporary, config.remote_path)
