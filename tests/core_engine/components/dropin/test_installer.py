"""Installing: judged whole, pinned by hash, signed by whom the owner trusts, and never in pieces."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from core_engine.components.dropin.folder import folder_hash
from core_engine.components.dropin.installer import Installer, Order
from core_engine.components.dropin.package import pack
from core_engine.components.dropin.policy import InstallPolicy
from shared.errors import ErrorCode, FloworkError
from shared.signing.components import sign_component
from shared.signing.keys import WalletKey
from tests.core_engine.components.dropin.conftest import AUTHOR, OWNER

STRANGER = WalletKey.from_hex("5" * 64)


@pytest.fixture
def package(write, components: Path) -> Callable[..., bytes]:
    """Make a package, signed by a key (AUTHOR without one)."""

    def make(key: WalletKey | None = AUTHOR, **changes) -> bytes:
        folder = write(".draft", **changes)
        if key is not None:
            name, version = changes.get("id", "greeter"), changes.get("version", "1.0.0")
            (folder / "signature.json").write_text(sign_component(key, name, version, folder_hash(folder)))
        made = pack(folder)
        shutil.rmtree(folder)
        return made

    return make


async def install(installer: Installer, package: bytes, *accepted: str):
    told: list[str] = []
    item = await installer.install(
        Order(None, package, accepted), "0xme", lambda stage, _: told.append(stage)
    )
    return item, told


async def refused(installer: Installer, package: bytes, *accepted: str) -> FloworkError:
    with pytest.raises(FloworkError) as caught:
        await install(installer, package, *accepted)
    left = [path.name for path in installer.shelf.folder.iterdir() if path.name.startswith(".new-")]
    assert left == []
    return caught.value


async def test_a_signed_package_is_installed_and_pinned(installer: Installer, package, write) -> None:
    item, told = await install(installer, package())
    assert told == ["checking", "installing"]
    assert installer.shelf.find("greeter") is not None
    assert item.found.folder == installer.shelf.folder / "greeter" / "1.0.0"
    assert (item.record.author, item.record.installed_by) == (AUTHOR.address, "0xme")
    assert (await install(installer, package()))[0].record == item.record
    (item.found.folder / "processor.py").write_text("class Greeter: pass")
    installer.shelf.rescan()
    assert "not those that were installed" in installer.shelf.broken["greeter/1.0.0"]
    assert installer.shelf.find("greeter") is None
    assert await installer.uninstall("greeter", None) == ["1.0.0"]
    assert list(installer.shelf.folder.iterdir()) == []


async def test_the_policy_decides_who_is_believed(installer: Installer, package, tmp_path: Path) -> None:
    for key, reason in ((None, "no signature"), (STRANGER, "neither the engine's owner")):
        error = await refused(installer, package(key))
        assert error.code is ErrorCode.FORBIDDEN
        assert reason in error.message
    candidate = await installer.inspect(Order(None, package(STRANGER)))
    assert candidate.author == STRANGER.address
    assert "neither" in (candidate.refusal or "")
    await install(installer, package(OWNER))
    digest = candidate.hash
    judge = InstallPolicy.of("listed", "", lambda: None).refusal
    assert digest in (judge(digest, OWNER.address) or "")
    assert InstallPolicy.of("listed", digest, lambda: None).refusal(digest, None) is None
    assert InstallPolicy.of("any", "", lambda: None).refusal(digest, None) is None


async def test_a_signature_over_something_else_is_no_signature(installer: Installer, package, write) -> None:
    folder = write(".draft")
    (folder / "signature.json").write_text(sign_component(AUTHOR, "greeter", "1.0.0", "0" * 64))
    assert (await refused(installer, pack(folder))).code is ErrorCode.BAD_SIGNATURE
    (folder / "signature.json").write_text("[" * 50)
    assert (await refused(installer, pack(folder))).code is ErrorCode.BAD_SIGNATURE


async def test_permissions_are_accepted_one_by_one(installer: Installer, package) -> None:
    asks = {"permissions": ["files:read", "network:example.com"]}
    error = await refused(installer, package(**asks), "files:read")
    assert error.code is ErrorCode.FORBIDDEN
    assert "network:example.com" in error.message
    assert error.details == {"permissions": ["files:read", "network:example.com"]}
    item, _ = await install(installer, package(**asks), "files:read", "network:example.com")
    assert item.record.permissions == ["files:read", "network:example.com"]


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"id": "delay"}, "belongs to the engine"),
        ({"id": "GREETER"}, "only in case"),
        ({"version": "0.9.0"}, "newer"),
        ({"description": "Other content."}, "other content"),
    ],
)
async def test_nothing_is_overwritten_or_turned_back(installer, package, changes, text: str) -> None:
    await install(installer, package())
    error = await refused(installer, package(**changes))
    assert error.code is ErrorCode.CONFLICT
    assert text in error.message


async def test_an_update_stands_beside_the_old_version(installer: Installer, package) -> None:
    await install(installer, package())
    await install(installer, package(version="1.1.0"))
    assert installer.shelf.find("greeter").version == "1.1.0"
    assert installer.shelf.find("greeter@1.0.0") is not None
    assert await installer.uninstall("greeter", "1.1.0") == ["1.1.0"]
    assert installer.shelf.find("greeter").version == "1.0.0"


async def test_what_was_placed_by_hand_is_neither_replaced_nor_removed(installer, package, write) -> None:
    folder = write()
    installer.shelf.rescan()
    for action in (refused(installer, package()), installer.uninstall("greeter", None)):
        try:
            error = await action
        except FloworkError as caught:
            error = caught
        assert error.code is ErrorCode.CONFLICT
        assert "by hand" in error.message
    assert folder.is_dir()


async def test_unknown_things_are_not_found(installer: Installer) -> None:
    for action in (installer.uninstall("nothing", None), installer.inspect(Order("nothing", None))):
        with pytest.raises(FloworkError) as caught:
            await action
        assert caught.value.code is ErrorCode.NOT_FOUND
    with pytest.raises(FloworkError) as caught:
        await installer.uninstall("delay", None)
    assert caught.value.code is ErrorCode.CONFLICT


async def test_a_package_that_is_unusable_says_why(installer: Installer, package) -> None:
    error = await refused(installer, package(permissions=["root"]))
    assert error.code is ErrorCode.INVALID_REQUEST
    assert "'root'" in error.message
    assert (await refused(installer, b"no zip")).code is ErrorCode.INVALID_REQUEST
    with pytest.raises(FloworkError, match="holds greeter"):
        await installer.inspect(Order("other", package()))
