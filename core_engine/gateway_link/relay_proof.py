"""Who speaks over the relay: the sign-ins of web pages, verified here and not believed from the gateway."""

from __future__ import annotations

import hashlib
import json
import logging
from collections import OrderedDict

from core_engine.access.control import Memory
from shared.clock import Clock
from shared.contract.relay import RelayAuth
from shared.errors import FloworkError
from shared.signing.rest import ADDRESS_HEADER, MESSAGE_HEADER, SIGNATURE_HEADER, verify_socket_auth

_log = logging.getLogger(__name__)

FRESH_MS = 300_000
LIFETIME_MS = 24 * 60 * 60 * 1000
MAX_PAGES = 1000
KEY = "relay.sign_ins"


class SignIns:
    """Accepts a sign-in text within 300 s of its time, and from then on for 24 h, also after a restart.

    The text names neither engine nor command. So whoever holds it, a gateway that was taken over too, can speak
    for its signer as long: this is what ``ENGINE_ENVELOPE=bound`` refuses.
    """

    def __init__(self, clock: Clock, memory: Memory) -> None:
        self._clock = clock
        self._memory = memory
        self._until: OrderedDict[str, int] = OrderedDict(_known(memory.get(KEY)))
        self._unsaved = False

    def prove(self, auth: RelayAuth) -> str:
        """Return the address, in lower case, that the sign-in proves.

        Raises UNAUTHENTICATED, STALE or BAD_SIGNATURE.
        """
        now_ms, key = self._clock.now_ms(), _key(auth)
        until = self._until.get(key)
        if until is None or until <= now_ms:
            self._until.pop(key, None)
            headers = {
                ADDRESS_HEADER: auth.address,
                MESSAGE_HEADER: auth.message,
                SIGNATURE_HEADER: auth.signature,
            }
            verify_socket_auth(headers, now_ms=now_ms, max_age_ms=FRESH_MS)
            self._until[key] = now_ms + LIFETIME_MS
            self._unsaved = True
            if len(self._until) > MAX_PAGES:
                self._until.popitem(last=False)
        self._until.move_to_end(key)
        return auth.address.lower()

    async def save(self) -> None:
        """Keep what is new beyond this process; where that fails, pages sign in again after a restart."""
        if not self._unsaved:
            return
        self._unsaved = False
        try:
            await self._memory.put(KEY, json.dumps(self._until).encode())
        except FloworkError as error:
            _log.warning("could not keep the sign-ins of pages", extra={"reason": error.message})


def _known(stored: bytes | None) -> dict[str, int]:
    """Return what was kept; nothing where it is damaged: a page that signs in again is no loss."""
    try:
        known = json.loads(stored or b"{}")
    except ValueError:
        return {}
    items = known.items() if isinstance(known, dict) else ()
    return {key: until for key, until in items if isinstance(until, int)}


def _key(auth: RelayAuth) -> str:
    # The signature is part of it: to know the text of a sign-in is not to have signed it.
    parts = (auth.address.lower(), auth.message, auth.signature)
    digest = hashlib.sha256()
    for part in parts:
        digest.update(hashlib.sha256(part.encode(errors="surrogatepass")).digest())
    return digest.hexdigest()
