"""What a run says of steps that wait, and of who ended their wait: parts of `shared.contract.run`."""

from __future__ import annotations

from shared.contract.base import Address, Outgoing


class StepWait(Outgoing):
    """What a node waits for. ``until`` is Unix milliseconds; ``signal`` is ``approval`` where a person decides.

    Where it is ``event``, ``event`` and ``correlation`` name the event, and a POST to ``/webhook/resume/<token>`` ends
    the wait too: who knows the token can do that.
    """

    id: str
    signal: str | None = None
    until: int | None = None
    title: str | None = None
    message: str | None = None
    event: str | None = None
    correlation: str | None = None
    token: str | None = None


class StepAnswer(Outgoing):
    """A person's answer to a node's request, with its proof; ``answered_at`` is Unix milliseconds.

    ``message`` is the text that was signed and ``signature`` its signature by ``signer``, who is ``address`` or
    its session key. With ``bound`` the signed text holds the SHA-256 of ``payload``, the command as it was sent.
    """

    address: Address
    approved: bool
    comment: str
    answered_at: int
    message: str
    signature: str
    signer: Address
    bound: bool
    payload: str
