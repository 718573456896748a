"""What session keys may ask for: nothing that gives away more than the session lasts."""

from __future__ import annotations

from shared.contract import catalog
from shared.contract.base import Auth
from shared.contract.session_keys import WALLET_COMMANDS, session_scope


def test_sharing_deleting_tokens_and_money_need_the_wallet() -> None:
    scopes = {name: session_scope(operation) for name, operation in catalog.operations().items()}
    for name in (
        "share_engine", "add_share", "unshare_engine", "claim_engine",
        "reset_engine_token", "register_engine", "delete_engine", "select_for_auth", "delete_account", "checkout",
        "submit_payment", "put_variable", "delete_variable", "publish_item", "admin_users", "save_preset",
        "forward_post",
    ):  # fmt: skip
        assert scopes[name] is None, name
    assert scopes["list_engines"] == scopes["get_usage"] == scopes["put_favorite_presets"] == "read"
    assert scopes["run_preset"] == "run"


def test_a_session_key_changes_only_what_is_listed() -> None:
    changing = {
        name
        for name, operation in catalog.operations().items()
        if operation.method != "GET" and session_scope(operation)
    }
    assert changing == {
        "change_share_link", "create_share_link", "delete_share_link", "logout", "patch_preferences", "pause_run",
        "put_active_widgets", "put_favorite_components", "put_favorite_presets", "resume_run", "run_preset", "stop_run",
        "vote",
    }  # fmt: skip
    open_ones = [item for item in catalog.operations().values() if item.auth is not Auth.WALLET]
    assert not any(session_scope(item) for item in open_ones)


def test_commands_that_need_the_wallet_exist() -> None:
    assert set(catalog.commands()) >= WALLET_COMMANDS
