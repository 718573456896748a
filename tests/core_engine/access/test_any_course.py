"""P5: any course of owners, grants, links, delegations, connections and restarts, beside a model of the rules."""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hypothesis import settings, strategies
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from typing_extensions import override

from core_engine.access.control import AccessControl, AccessPolicy
from core_engine.access.share_links import ShareLinks
from core_engine.access.standing import Standing
from core_engine.storage import EngineStore
from shared.clock import ManualClock
from shared.contract.base import Role
from shared.contract.share_link import RelayShare, ShareLevel
from shared.errors import ErrorCode, FloworkError
from shared.ids import new_claim_code
from shared.signing.claims import claim_proof
from shared.signing.delegation import ANY_ENGINE, DelegationOffer, SignedDelegation, sign_delegation
from shared.signing.grants import Grant, SignedGrant, sign_grant
from shared.signing.keys import WalletKey
from shared.signing.link_grants import LinkGrant, hash_link_token, link_text, sign_link
from shared.signing.standing import StandingDelegations
from shared.signing.texts import new_nonce

ENGINE, PAGE = "engine-1", "gui.example"
KEYS = {
    name: WalletKey.from_hex(digit * 64) for name, digit in zip(("mo", "bo", "al", "ed"), "1234", strict=True)
}
SESSION = WalletKey.from_hex("9" * 64)
NAMES = {key.address.lower(): name for name, key in KEYS.items()}
CODE, TOKEN = new_claim_code(), "t" * 32
OWNERS, GUESTS = (
    strategies.sampled_from(["mo", "mo", "bo"]),
    strategies.sampled_from(["al", "al", "ed", "bo"]),
)
SECONDS = strategies.sampled_from([1, 5, 60, 3600])
ROLES = strategies.sampled_from([Role.READER, Role.RUNNER, Role.ADMIN])
MADE = strategies.sampled_from(
    ["well"] * 8 + ["forged", "foreign", "narrow", "of an older epoch", "of a newer epoch"]
)
ENGINES = strategies.sampled_from([ENGINE, ANY_ENGINE, "engine-2"])
MOSTLY = strategies.sampled_from([True, True, True, False])


@dataclass
class Listed:
    """What a gateway's list says: addresses by name, and grants with the name of who signed each."""

    addresses: frozenset[str] = frozenset()
    grants: tuple[tuple[Grant, str], ...] = ()


@dataclass
class Model:
    """The rules as they are written, without a signature, a disk or a lock."""

    has_code: bool
    trust: str
    owner: str | None = None
    burnt: bool = False
    epoch: int = 0
    listed: Listed = field(default_factory=Listed)
    held: frozenset[Grant] = frozenset()
    ended: frozenset[Grant] = frozenset()

    def pin(self, owner: str, now: int) -> None:
        self.owner = owner
        self.hear(self.listed, now)

    def hear(self, listed: Listed, now: int) -> None:
        """What held and is named no more has ended for ever; the owner's grants of the highest epoch hold."""
        here = [(grant, signer) for grant, signer in listed.grants if name_of(grant) in listed.addresses]
        self.listed = listed
        self.ended |= self.held - {grant for grant, _ in here}
        told = [grant for grant, signer in listed.grants if self.owner and signer == self.owner]
        genuine = [grant for grant in told if grant.engine == ENGINE and grant not in self.ended]
        self.epoch = max([self.epoch, *(grant.epoch for grant in genuine)])
        self.held = frozenset(
            grant for grant in genuine
            if grant.epoch == self.epoch and grant.exp > now and name_of(grant) in listed.addresses
        )  # fmt: skip

    def claim(self, who: str, *, right: bool) -> ErrorCode | None:
        if self.owner and not (self.owner == who and self.burnt):
            return ErrorCode.CONFLICT
        return None if right and self.has_code else ErrorCode.FORBIDDEN

    def role(self, who: str, now: int) -> Role | None:
        if who == self.owner:
            return Role.OWNER
        if who not in self.listed.addresses:
            return None
        given = {
            grant.role
            for grant in self.held
            if name_of(grant) == who and not grant.preset and grant.exp > now
        }
        return max(given | {Role.RUNNER if self.trust == "list" else Role.READER})


@dataclass
class Open:
    """A connection, and beside it what was said there: who, until when (a session key), as what or by which link."""

    standing: Standing = field(default_factory=Standing)
    said: list[tuple[str, int | None, Role | None, LinkGrant | None]] = field(default_factory=list)

    def say(self, who: str, until: int | None, role: Role | None, link: LinkGrant | None = None) -> None:
        assert self.standing.admit(KEYS[who].address.lower(), until, role=role, link=link)
        self.said.append((who, until, role, link))

    def may_go_on(self, model: Model, now: int) -> bool:
        for who, _, role, link in self.said:
            ends = [until for name, until, _, _ in self.said if name == who]
            if None not in ends and max(until or 0 for until in ends) <= now:
                return False
            if role is not None and (model.role(who, now) or 0) < role:
                return False
            if link is not None and (link.epoch < model.epoch or (link.exp is not None and link.exp <= now)):
                return False
        return True


def name_of(grant: Grant) -> str:
    return NAMES[grant.guest.lower()]


class AnyCourse(RuleBasedStateMachine):
    """An engine's access on a real store, the gateway that lists its guests, and the model."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory(prefix="flowork-access-")
        self.runner = asyncio.Runner()
        self.clock = ManualClock()
        self.list = Listed()
        self.signed: dict[tuple[Grant, str], SignedGrant] = {}
        self.former = [self.list]
        self.links: list[tuple[LinkGrant, str, RelayShare]] = []
        self.sessions: list[tuple[str, bool, int, SignedDelegation]] = []
        self.store: EngineStore | None = None
        self.connections: list[Open] = []

    @initialize(
        code=strategies.booleans(), owned=MOSTLY, trust=strategies.sampled_from(["grants", "grants", "list"])
    )
    def begin(self, trust: str, *, code: bool, owned: bool) -> None:
        self.model = Model(code, trust, owner="mo" if owned else None)
        self.open(self.model.owner)

    def open(self, owner: str | None = None) -> None:
        self.store = EngineStore.open(Path(self.folder.name))
        trust: Any = self.model.trust
        given, code = KEYS[owner].address if owner else "", CODE if self.model.has_code else ""
        self.access = AccessControl(AccessPolicy(ENGINE, given, code, trust), self.store, self.clock)
        self.runner.run(self.access.load())
        self.connections = [Open(), Open()]
        self.shares = ShareLinks(self.access, ENGINE, self.clock)
        self.delegations = StandingDelegations(lambda domain: domain == PAGE, engine_id=ENGINE)

    @override
    def teardown(self) -> None:
        if self.store:
            self.store.close()
        self.runner.close()
        self.folder.cleanup()

    @property
    def now(self) -> int:
        return self.clock.now_ms()

    @rule(owner=strategies.none() | OWNERS)
    def restart(self, owner: str | None) -> None:
        """The operator may name another owner; nothing else changes."""
        assert self.store
        self.store.close()
        self.open(owner)
        if owner and owner != self.model.owner:
            self.model.pin(owner, self.now)

    @rule(seconds=SECONDS)
    def wait(self, seconds: int) -> None:
        self.clock.advance(seconds)

    @rule(who=OWNERS)
    def hear_of_an_owner(self, who: str) -> None:
        """The first contact pins the owner, unless there is one or a claim is waited for."""
        self.runner.run(self.access.meet_owner(KEYS[who].address))
        if not self.model.owner and not self.model.has_code:
            self.model.pin(who, self.now)

    @rule(who=OWNERS, right=MOSTLY)
    def claim(self, who: str, *, right: bool) -> None:
        expected = self.model.claim(who, right=right)
        proof = claim_proof(CODE if right else new_claim_code(), KEYS[who].address, ENGINE)
        code = None
        try:
            self.runner.run(self.access.claim(KEYS[who].address, proof))
        except FloworkError as error:
            code = error.code
        assert code is expected
        if code is None:
            self.model.burnt = True
            self.model.pin(who, self.now)

    @rule(guest=GUESTS, role=ROLES, seconds=SECONDS, made=MADE, told=MOSTLY)
    def grant(self, guest: str, role: Role, seconds: int, *, made: str, told: bool) -> None:
        """Somebody signs a grant, mostly the owner for all of this engine, and the gateway lists it."""
        signer = "al" if made == "forged" else self.model.owner or "mo"
        epoch = self.model.epoch + {"of an older epoch": -1, "of a newer epoch": 1}.get(made, 0)
        engine, preset = "engine-2" if made == "foreign" else ENGINE, "daily" if made == "narrow" else None
        exp = self.now + seconds * 1000
        grant = Grant(engine, KEYS[guest].address, role, max(1, epoch), exp, preset)
        self.signed[grant, signer] = sign_grant(KEYS[signer], grant)
        self.change(Listed(self.list.addresses | {guest}, (*self.list.grants, (grant, signer))), told=told)

    @rule(guest=GUESTS, told=MOSTLY)
    def list_or_not(self, guest: str, *, told: bool) -> None:
        self.change(Listed(self.list.addresses ^ {guest}, self.list.grants), told=told)

    @rule(number=strategies.integers(0, 5), told=MOSTLY)
    def drop_a_grant(self, number: int, *, told: bool) -> None:
        left = [item for place, item in enumerate(self.list.grants) if place != number]
        self.change(Listed(self.list.addresses, tuple(left)), told=told)

    @rule(back=strategies.integers(1, 5))
    def restore(self, back: int) -> None:
        """The gateway goes back to what it was some time ago."""
        self.change(self.former[-min(back, len(self.former))], told=True)

    def change(self, listed: Listed, *, told: bool) -> None:
        self.former.append(self.list)
        self.list = listed
        if told:
            self.tell()

    @rule()
    def tell(self) -> None:
        """The engine fetches the gateway's list."""
        grants = [self.signed[item].as_wire() for item in self.list.grants]
        addresses = [KEYS[name].address for name in sorted(self.list.addresses)]
        self.runner.run(self.access.replace_guests({"addresses": addresses, "grants": grants}))
        self.model.hear(self.list, self.now)

    @rule(signer=OWNERS, raised=strategies.integers(-1, 1), seconds=strategies.none() | SECONDS,
          level=strategies.sampled_from(ShareLevel))  # fmt: skip
    def share(self, signer: str, raised: int, seconds: int | None, level: ShareLevel) -> None:
        exp = None if seconds is None else self.now + seconds * 1000
        link = LinkGrant(
            ENGINE, "Report", level, hash_link_token(TOKEN), max(1, self.model.epoch + raised), exp
        )
        wire = RelayShare(token=TOKEN, text=link_text(link), signature=sign_link(KEYS[signer], link))
        self.links.append((link, signer, wire))

    @rule(who=GUESTS, by=GUESTS, often=MOSTLY, page=MOSTLY, engine=ENGINES, seconds=SECONDS)
    def delegate(self, who: str, by: str, *, often: bool, page: bool, engine: str, seconds: int) -> None:
        """A wallet lets a session key act for it; mostly its own signature is under it."""
        by, domain = who if often else by, PAGE if page else "evil.example"
        offer = DelegationOffer(domain, f"https://{domain}", 1, new_nonce())
        exp = self.now + seconds * 1000
        made = sign_delegation(
            KEYS[who], offer, SESSION.address, engines=[engine], scopes=["read"],
            issued_ms=self.now, expires_ms=exp,
        )  # fmt: skip
        made = SignedDelegation(made.wallet, made.message, KEYS[by].sign_text(made.message))
        self.sessions.append((who, by == who and page and engine != "engine-2", exp, made))

    @rule(who=OWNERS | GUESTS, place=strategies.integers(0, 1))
    def speak(self, who: str, place: int) -> None:
        """A wallet speaks by itself, if the engine lets it."""
        if role := self.access.role_of(KEYS[who].address.lower()):
            self.connections[place].say(who, None, role)

    @rule(back=strategies.integers(1, 3), place=strategies.integers(0, 1))
    def speak_by_a_session(self, back: int, place: int) -> None:
        for who, good, exp, _ in self.sessions[-back:]:
            role = self.access.role_of(KEYS[who].address.lower())
            if good and exp > self.now and role:
                self.connections[place].say(who, exp, role)

    @rule(who=GUESTS, back=strategies.integers(1, 3), place=strategies.integers(0, 1))
    def visit(self, who: str, back: int, place: int) -> None:
        for link, _, wire in self.links[-back:]:
            if self.shares.still(wire):
                self.connections[place].say(who, None, None, link)

    @invariant()
    def every_connection_goes_on_as_long_as_each_on_it_has_what_he_had(self) -> None:
        for place, connection in enumerate(self.connections):
            goes_on = self.access.ended(connection.standing) is None
            assert goes_on is connection.may_go_on(self.model, self.now)
            if not goes_on:
                self.connections[place] = Open()

    @invariant()
    def every_address_has_the_role_of_the_rules(self) -> None:
        assert NAMES.get(self.access.owner or "") == self.model.owner
        for name, key in KEYS.items():
            assert self.access.role_of(key.address.lower()) is self.model.role(name, self.now), name

    @invariant()
    def every_link_opens_what_the_rules_say(self) -> None:
        for link, signer, wire in self.links:
            holds = signer == self.model.owner and link.epoch >= self.model.epoch
            holds = holds and (link.exp is None or link.exp > self.now)
            assert (self.shares.still(wire) is not None) is holds

    @invariant()
    def every_delegation_holds_as_long_as_it_says(self) -> None:
        for who, good, exp, signed in self.sessions:
            try:
                session = self.delegations.claimed(signed, self.now)
                self.delegations.confirm(signed, session)
            except FloworkError:
                assert not good or exp <= self.now
            else:
                assert good
                assert exp > self.now
                assert NAMES[session.wallet] == who


AnyCourse.TestCase.settings = settings(max_examples=40, stateful_step_count=50, deadline=None)
TestAnyCourse = AnyCourse.TestCase
