"""Commands on added components: look at one, install it, remove it."""

from __future__ import annotations

import asyncio
import base64
import binascii

from core_engine.commands.command import CommandContext, command
from core_engine.components.dropin.installer import Order
from core_engine.components.dropin.shelf import Item
from shared.contract.install import (
    ComponentInspection,
    ComponentInstallStatus,
    InspectComponent,
    InstallComponent,
    PermissionInfo,
    UninstallComponent,
)
from shared.errors import ErrorCode, FloworkError

ANSWER_SECONDS = 45.0
"""After so long an installation is answered as still going on; a command itself may take a minute."""


@command(InspectComponent)
async def inspect_component(context: CommandContext, message: InspectComponent) -> ComponentInspection:
    """List what a component asks for, before anything of it is installed."""
    installer = context.rooms.installer
    candidate = await installer.inspect(_order(message))
    manifest = candidate.found.manifest
    return ComponentInspection(
        component_id=manifest.id,
        component_type=manifest.component_type,
        component_name=manifest.name,
        version=manifest.version,
        hash=candidate.hash,
        author=candidate.author,
        permissions=[
            PermissionInfo(permission=item.text, meaning=item.meaning, given=item.given)
            for item in candidate.found.permissions
        ],
        requirements=list(candidate.found.requirements),
        installed_versions=[item.version for item in installer.shelf.versions(manifest.id)],
        touches=await context.rooms.presets.using(manifest.id),
        refusal=candidate.refusal,
    )


@command(InstallComponent)
async def install_component(
    context: CommandContext, message: InstallComponent
) -> ComponentInstallStatus | None:
    """Install a component; progress is told as it comes."""
    _require_wallet(context)
    order, installer = _order(message), context.rooms.installer

    def tell(stage: str, text: str) -> None:
        progress = _status(message, stage, text)
        context.caller.deliver((progress.model_dump(mode="json", exclude={"request_id"}),))

    task = installer.begin(order, context.address, tell)
    done, _ = await asyncio.wait([task], timeout=ANSWER_SECONDS)
    if done:
        return await _finished(context, message, task.result())
    context.answer(_status(message, "requirements", "The installation goes on."))
    task.add_done_callback(lambda ended: context.caller.deliver((_late(message, ended),)))
    return None


@command(UninstallComponent)
async def uninstall_component(context: CommandContext, message: UninstallComponent) -> ComponentInstallStatus:
    """Remove a component that was installed."""
    _require_wallet(context)
    installer = context.rooms.installer
    removed = await installer.uninstall(message.component_id, message.version)
    left = [item.version for item in installer.shelf.versions(message.component_id)]
    touches = await context.rooms.presets.using(message.component_id)
    text = f"Removed {message.component_id} {', '.join(removed)}."
    if touches:
        text += f" It is used by {', '.join(touches[:10])}."
    return ComponentInstallStatus(
        component_id=message.component_id,
        component_type=message.component_type,
        success=True,
        message=text,
        is_installed=bool(left),
        stage="done",
        touches=touches,
    )


async def _finished(context: CommandContext, message: InstallComponent, item: Item) -> ComponentInstallStatus:
    touches = await context.rooms.presets.using(item.id)
    text = f"Installed {item.id} {item.version}."
    if touches:
        text += f" These presets use it and keep the version they were saved with: {', '.join(touches[:10])}."
    return _ended(message, item, text).model_copy(update={"touches": touches})


def _late(message: InstallComponent, task: asyncio.Task[Item]) -> dict[str, object]:
    if task.cancelled():
        status = _status(message, "done", "The engine was stopped.", success=False)
    elif error := task.exception():
        text = error.message if isinstance(error, FloworkError) else "The installation failed."
        status = _status(message, "done", text, success=False)
    else:
        item = task.result()
        status = _ended(message, item, f"Installed {item.id} {item.version}.")
    return status.model_dump(mode="json", exclude={"request_id"})


def _ended(message: InstallComponent, item: Item, text: str) -> ComponentInstallStatus:
    about = {
        "component_id": item.id, "component_type": item.found.manifest.component_type,
        "is_installed": True, "version": item.version,
    }  # fmt: skip
    return _status(message, "done", text).model_copy(update=about)


def _status(
    message: InstallComponent, stage: str, text: str, *, success: bool = True
) -> ComponentInstallStatus:
    return ComponentInstallStatus.model_validate(
        {
            "component_id": message.component_id or "", "component_type": message.component_type,
            "success": success, "message": text, "is_installed": False, "stage": stage,
        }
    )  # fmt: skip


def _order(message: InspectComponent | InstallComponent) -> Order:
    if (message.package is None) == (message.component_id is None) and message.package is None:
        raise FloworkError(ErrorCode.INVALID_REQUEST, "Name a component_id, or give a package.")
    package = None
    if message.package is not None:
        try:
            package = base64.b64decode(message.package, validate=True)
        except (binascii.Error, ValueError) as error:
            raise FloworkError(ErrorCode.INVALID_REQUEST, "package is not base64.") from error
    if isinstance(message, InspectComponent):
        return Order(message.component_id, package)
    return Order(message.component_id, package, tuple(message.accept_permissions), message.repair)


def _require_wallet(context: CommandContext) -> None:
    if context.opened is not None and context.opened.session is not None:
        raise FloworkError(
            ErrorCode.FORBIDDEN,
            "Installing and removing code needs the wallet's own signature, not a session's.",
        )
