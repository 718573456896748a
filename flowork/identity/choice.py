"""Decides which identity a command uses, and where its key and passphrase come from."""

from __future__ import annotations

from collections.abc import Callable

from flowork.identity.store import IdentityStore, StoredIdentity
from flowork.settings import Identities
from shared.errors import ErrorCode, FloworkError
from shared.settings import reveal
from shared.signing.keys import WalletKey

DEFAULT_NAME = "default"
Ask = Callable[[str], str]


def choose_key(settings: Identities, name: str | None, ask: Ask) -> WalletKey:
    """Return the signing key: FLOWORK_PRIVATE_KEY, or the chosen identity unlocked.

    A name given on the command line wins over FLOWORK_PRIVATE_KEY. ``ask`` prompts for a passphrase where
    FLOWORK_PASSPHRASE is not set; it raises FloworkError where nobody can be asked.
    """
    if name is None and settings.private_key:
        return WalletKey.from_hex(reveal(settings.private_key))
    store = IdentityStore(settings.folder)
    identity = choose_identity(store, name or settings.name)
    passphrase = reveal(settings.passphrase) or ask(f"Passphrase of identity {identity.name}")
    return store.unlock(identity, passphrase)


def choose_identity(store: IdentityStore, wanted: str) -> StoredIdentity:
    """Return the identity of that name; where none is wanted the only one, or the one called default."""
    if wanted:
        return store.find(wanted)
    known = store.listing()
    if len(known) == 1:
        return known[0]
    for item in known:
        if item.name == DEFAULT_NAME:
            return item
    if known:
        names = ", ".join(item.name for item in known)
        raise FloworkError(ErrorCode.UNAUTHENTICATED, f"Which identity? Name one with --identity: {names}.")
    raise FloworkError(
        ErrorCode.UNAUTHENTICATED,
        "You have no identity yet; make one with `flowork identity create`.",
    )
