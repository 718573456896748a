"""Reads and writes sign-in texts (EIP-4361): the strict grammar, one text for one meaning."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import IPv6Address

from shared.clock import iso
from shared.errors import ErrorCode, FloworkError
from shared.signing.keys import checksum_address

_STATEMENT = r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;= ]+"
# URIs by RFC 3986: scheme, then authority and path or a path alone, then query and fragment.
_HEX = r"%[0-9A-Fa-f]{2}"
_PLAIN = r"A-Za-z0-9\-._~!$&'()*+,;="
_PART = rf"(?:[{_PLAIN}:@]|{_HEX})"
_IP = r"\[[0-9A-Fa-f:.]+\]"
_AUTHORITY = rf"(?:(?:[{_PLAIN}:]|{_HEX})*@)?(?:{_IP}|(?:[{_PLAIN}]|{_HEX})*)(?::[0-9]*)?"
_PATH = rf"(?://{_AUTHORITY}(?:/{_PART}*)*|/?(?:{_PART}+(?:/{_PART}*)*)?)"
_REST = rf"(?:{_PART}|[/?])*"
_URI = rf"[A-Za-z][A-Za-z0-9+.\-]*:{_PATH}(?:\?{_REST})?(?:\#{_REST})?"
_DOMAIN = rf"(?:[A-Za-z0-9](?:[A-Za-z0-9.\-]*[A-Za-z0-9])?|{_IP})(?::[0-9]{{1,5}})?"
_TIME = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{3})?Z"

_TEXT = re.compile(
    rf"(?P<domain>{_DOMAIN}) wants you to sign in with your Ethereum account:\n"
    rf"(?P<address>0x[0-9a-fA-F]{{40}})\n"
    rf"\n(?:(?P<statement>{_STATEMENT})\n)?\n"
    rf"URI: (?P<uri>{_URI})\n"
    r"Version: 1\n"
    r"Chain ID: (?P<chain_id>[1-9][0-9]{0,17})\n"
    r"Nonce: (?P<nonce>[A-Za-z0-9]{8,128})\n"
    rf"Issued At: (?P<issued>{_TIME})"
    rf"(?:\nExpiration Time: (?P<expires>{_TIME}))?"
    rf"(?:\nNot Before: (?P<begins>{_TIME}))?"
    rf"(?P<resources>\nResources:(?:\n- {_URI})*)?"
)
_IP_LITERAL = re.compile(r"\[([^\]]*)\]")


@dataclass(frozen=True, slots=True)
class SignIn:
    """What a sign-in text says. Times are Unix ms; ``address`` has its EIP-55 capitals.

    Of the standard's optional parts the scheme before the domain and the request id are not offered.
    ``resources`` is None where the text has no such list.
    """

    domain: str
    address: str
    uri: str
    chain_id: int
    nonce: str
    issued_ms: int
    statement: str | None = None
    expires_ms: int | None = None
    begins_ms: int | None = None
    resources: tuple[str, ...] | None = None


def write_sign_in(sign_in: SignIn) -> str:
    """Return the text to be signed; raises INVALID_REQUEST where a part does not fit the grammar."""
    try:
        text = "\n".join(_lines(sign_in))
        faithful = read_sign_in(text) == sign_in  # a part that holds a line end could pass for other parts
    except (FloworkError, OverflowError, ValueError, OSError):  # the last three: a time that no calendar has
        faithful = False
    if not faithful:
        raise FloworkError(ErrorCode.INVALID_REQUEST, "A part of the sign-in text does not fit EIP-4361.")
    return text


def read_sign_in(text: str) -> SignIn:
    """Return what a sign-in text says.

    Raises UNAUTHENTICATED for everything the grammar does not produce, including an address without its
    EIP-55 capitals and a day that does not exist.
    """
    match = _TEXT.fullmatch(text)
    if match is None:
        raise _unreadable("it does not follow EIP-4361")
    if checksum_address(match["address"]) != match["address"]:
        raise _unreadable("its address is not in EIP-55 spelling")
    resources = match["resources"]
    names = "\n".join((match["domain"], match["uri"], resources or ""))
    if not all(map(_is_ip, _IP_LITERAL.findall(names))):
        raise _unreadable("it names an IP address that does not exist")
    return SignIn(
        domain=match["domain"],
        address=match["address"],
        uri=match["uri"],
        chain_id=int(match["chain_id"]),
        nonce=match["nonce"],
        issued_ms=_milliseconds(match["issued"]),
        statement=match["statement"],
        expires_ms=_milliseconds(match["expires"]) if match["expires"] else None,
        begins_ms=_milliseconds(match["begins"]) if match["begins"] else None,
        resources=None if resources is None else tuple(line[2:] for line in resources.split("\n")[2:]),
    )


def _lines(sign_in: SignIn) -> list[str]:
    lines = [f"{sign_in.domain} wants you to sign in with your Ethereum account:", sign_in.address, ""]
    lines += [sign_in.statement] if sign_in.statement is not None else []
    lines += ["", f"URI: {sign_in.uri}", "Version: 1", f"Chain ID: {sign_in.chain_id}"]
    lines += [f"Nonce: {sign_in.nonce}", f"Issued At: {iso(sign_in.issued_ms)}"]
    lines += [f"Expiration Time: {iso(sign_in.expires_ms)}"] if sign_in.expires_ms is not None else []
    lines += [f"Not Before: {iso(sign_in.begins_ms)}"] if sign_in.begins_ms is not None else []
    if sign_in.resources is not None:
        lines += ["Resources:", *(f"- {uri}" for uri in sign_in.resources)]
    return lines


def _is_ip(literal: str) -> bool:
    try:
        IPv6Address(literal)
    except ValueError:
        return False
    return True


def _milliseconds(text: str) -> int:
    try:
        moment = datetime.strptime(text[:19], "%Y-%m-%dT%H:%M:%S").replace(tzinfo=UTC)
    except ValueError as error:
        raise _unreadable("it names a time that does not exist") from error
    return int(moment.timestamp()) * 1000 + int(text[20:23] if len(text) > 20 else 0)


def _unreadable(problem: str) -> FloworkError:
    return FloworkError(ErrorCode.UNAUTHENTICATED, f"The sign-in text cannot be accepted: {problem}.")
