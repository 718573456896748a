"""HTTP requests whose end is said oddly, made up from a seed, and what a strict parser makes of them."""

from __future__ import annotations

import random

import h11

from tests.fuzz.frames import change_bytes

SECOND = b"GET {second} HTTP/1.1\r\nHost: {host}\r\n\r\n"
_BODIES = (b"", b"{}", b"2\r\n{}\r\n0\r\n\r\n", b"0\r\n\r\n", b"1;x=y\r\n{\r\n1\r\n}\r\n0\r\nX: y\r\n\r\n")
_LENGTHS = (
    "0",
    "2",
    "5",
    "+2",
    "-1",
    "02",
    "2, 2",
    "2,5",
    "0x2",
    "2 ",
    "",
    "\u0661",
    "1e1",
    "99",
    "18446744073709551618",
)
_CODINGS = (
    "chunked", "Chunked", "chunked ", " chunked", "identity", "chunked, identity", "gzip, chunked", "xchunked",
    '"chunked"', "chunked;q=1", "chu\tnked", "",
)  # fmt: skip
_COLONS = (": ", ":", " : ", ":\t", "\t: ", ":\r\n ", ":\x0b", "\x00: ")
_ENDS = ("\r\n",) * 12 + ("\n", "\r", "\r\r\n", " \r\n")


def stream(rng: random.Random) -> bytes:
    """Return a request, most often one that says its end twice, and one behind it.

    ``{host}``, and ``{second}`` for the path of that one, are to be put in.
    """
    lines = ["Host: {host}", "Content-Type: application/json"]
    for _ in range(rng.choice([0, 1, 1, 2, 2, 3])):
        name, values = rng.choice([("Content-Length", _LENGTHS), ("Transfer-Encoding", _CODINGS)])
        name = rng.choice([name, name, name.lower(), name.replace("-", "_")])
        line = name + (": " if rng.random() < 0.7 else rng.choice(_COLONS)) + rng.choice(values)
        lines.insert(rng.randrange(len(lines) + 1), line)
    first = rng.choice(["POST", "POST", "GET"]) + " /api/v1/user/engines HTTP/1." + rng.choice("1110")
    head = "".join(line + rng.choice(_ENDS) for line in (first, *lines)) + "\r\n"
    whole = head.encode() + rng.choice(_BODIES)
    if rng.random() < 0.3:
        whole = change_bytes(rng, whole)
    return whole + SECOND


def seen_strictly(stream: bytes) -> list[bytes] | None:
    """Return the paths of the requests that a strict parser finds, None where it refuses any of it."""
    connection = h11.Connection(h11.SERVER)
    found: list[bytes] = []
    try:
        connection.receive_data(stream)
        while True:
            event = connection.next_event()
            if event is h11.NEED_DATA or event is h11.PAUSED:
                return found
            if isinstance(event, h11.Request):
                found.append(event.target)
            elif isinstance(event, h11.EndOfMessage):
                connection.send(h11.Response(status_code=200, headers=[("Content-Length", "0")]))
                connection.send(h11.EndOfMessage())
                if connection.our_state is not h11.DONE or connection.their_state is not h11.DONE:
                    return found
                connection.start_next_cycle()
    except h11.RemoteProtocolError:
        return None
