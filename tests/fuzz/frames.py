"""Bytes for the wire, made up from a seed: frames of WebSockets that keep to the standard hardly or not at all."""

from __future__ import annotations

import random
import socket
import struct
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from urllib.parse import urlsplit

_ODD_LENGTHS = (0, 1, 125, 126, 127, 65_535, 65_536, 2**31, 2**63 - 1, 2**63, 2**64 - 1)
_CLOSE_CODES = (0, 999, 1000, 1004, 1005, 1006, 1015, 1016, 2999, 3000, 65_535)


def change_bytes(rng: random.Random, data: bytes) -> bytes:
    """Return the bytes with a few of them changed, lost, doubled or put in."""
    for _ in range(rng.choice([0, 1, 1, 2, 8])):
        place = rng.randrange(len(data) + 1)
        piece = data[place : place + rng.choice([1, 1, 2, 40])]
        data = data[:place] + rng.choice([
            b"", rng.randbytes(len(piece)), piece * 2, piece + b"\x00", b'"' + piece, b"[" * 200 + piece,
            b"\xff\xfe" + piece, b"-" + piece, str(rng.choice(_ODD_LENGTHS)).encode() + piece,
        ]) + data[place + len(piece) :]  # fmt: skip
    return data


def frame(rng: random.Random, payload: bytes) -> bytes:
    """Return one frame of a client: right in half of all cases, else wrong in some ways."""
    if rng.random() < 0.5:
        return encode(rng, rng.choice([0x81, 0x82]), payload)
    opcode = rng.randrange(16)
    if opcode == 8:
        payload = rng.choice([b"", b"\x03", struct.pack("!H", rng.choice(_CLOSE_CODES)) + payload[:130]])
    first = opcode | rng.choice([0x80, 0x80, 0x00, 0xC0, 0xA0, 0x90])
    length = rng.choice([len(payload), len(payload), rng.choice(_ODD_LENGTHS)])
    whole = encode(rng, first, payload, length, masked=rng.random() < 0.8, wide=rng.random() < 0.2)
    return whole[: rng.randrange(len(whole) + 1)] if rng.random() < 0.2 else whole


def encode(
    rng: random.Random,
    first: int,
    payload: bytes,
    length: int | None = None,
    *,
    masked: bool = True,
    wide: bool = False,
) -> bytes:
    """Return a frame with that first byte, which says that it has ``length`` bytes; ``wide`` says so in too many."""
    length = len(payload) if length is None else length
    mark = 0x80 if masked else 0
    if wide or length > 65_535:
        head = bytes([first, mark | 127]) + struct.pack("!Q", length)
    elif length > 125:
        head = bytes([first, mark | 126]) + struct.pack("!H", length)
    else:
        head = bytes([first, mark | length])
    if not masked:
        return head + payload
    mask = rng.randbytes(4)
    return head + mask + bytes(byte ^ mask[place % 4] for place, byte in enumerate(payload))


def handshake(rng: random.Random, url: str, path: str) -> bytes:
    """Return the request that opens a WebSocket."""
    return (
        f"GET {path} HTTP/1.1\r\nHost: {urlsplit(url).netloc}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {'ABCD' * 5}{rng.choice('AQgw')}A==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    ).encode()


def converse(url: str, pieces: list[bytes], *, patience: float, wanted: Callable[[bytes], bool]) -> bytes:
    """Send one piece after the other on a connection; return what came until ``wanted``, its end, or the patience's."""
    where = urlsplit(url)
    assert where.hostname
    assert where.port
    seen = b""
    with closing(socket.create_connection((where.hostname, where.port), 10)) as wire:
        wire.settimeout(patience)
        with suppress(OSError):
            for piece in pieces:
                wire.sendall(piece)
            while not wanted(seen) and (found := wire.recv(65_536)):
                seen += found
    return seen


def resident_mib(pid: int) -> float:
    """Return how much memory a process holds."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096 / 2**20


def open_files(pid: int) -> int:
    """Return how many descriptors a process has."""
    return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
