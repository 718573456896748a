"""Frames are read the same in whatever pieces they come, and written as the standard says."""

from __future__ import annotations

from typing import Any

import pytest
from websockets.frames import Frame, Opcode

from gateway.realtime.ws_frames import READ_BYTES, BufferedSocket, text_frame, unmasked

KEY = b"\x01\x80\xff\x10"


class Pieces:
    """A socket that gives what it was made of, and then its end."""

    def __init__(self, *pieces: bytes) -> None:
        self.pieces = list(pieces)
        self.reads = 0

    def recv(self, size: int) -> bytes:
        self.reads += 1
        if not self.pieces:
            return b""
        piece = self.pieces.pop(0)
        if len(piece) > size:
            self.pieces.insert(0, piece[size:])
        return piece[:size]

    def settimeout(self, seconds: float | None) -> tuple[str, Any]:
        return ("settimeout", seconds)


def masked(text: bytes, first: int = 0x81) -> bytes:
    size = len(text)
    head = bytes((first, 0x80 | size)) if size < 126 else bytes((first, 0xFE)) + size.to_bytes(2, "big")
    return head + KEY + unmasked(text, KEY)


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536, 200_000])
def test_a_frame_is_written_as_another_implementation_writes_it(size: int) -> None:
    text = b"x" * size
    assert text_frame(text) == Frame(Opcode.TEXT, text).serialize(mask=False)


@pytest.mark.parametrize("size", [0, 1, 2, 3, 4, 5, 63, 1000])
def test_a_mask_is_taken_off_byte_by_byte(size: int) -> None:
    data = bytes(range(256)) * 4
    assert unmasked(data[:size], KEY) == bytes(byte ^ KEY[at % 4] for at, byte in enumerate(data[:size]))


def test_many_frames_of_one_piece_cost_one_read() -> None:
    texts = [b"", b"one", b"x" * 125, b"y" * 126, b"z" * 5000]
    wire = Pieces(b"".join(map(masked, texts)))
    waits: list[None] = []
    reader = BufferedSocket(wire, lambda: waits.append(None))
    assert [reader.whole_text(5000) for _ in texts] == texts
    assert wire.reads == len(waits) == 1


@pytest.mark.parametrize(
    "piece",
    [
        masked(b"long", 0x01),  # more fragments follow
        masked(b"rest", 0x80),
        masked(b"ping", 0x89),
        masked(b"bytes", 0x82),
        masked(b"rsv", 0xC1),
        masked(b"x" * 101),
        text_frame(b"without a mask"),
        b"\x81\xff" + (50).to_bytes(8, "big") + KEY + b"x" * 50,
        masked(b"not all of it")[:-1],
        b"\x81",
        b"\x81\xfe\x00",
    ],
)
def test_what_is_not_a_whole_usual_text_is_left_for_the_careful_reader(piece: bytes) -> None:
    reader = BufferedSocket(Pieces(piece), list)
    assert reader.whole_text(100) is None
    assert reader.recv(1000) == piece


def test_reads_are_small_or_large_as_they_are_wanted() -> None:
    large = b"l" * (READ_BYTES + 5)
    reader = BufferedSocket(Pieces(b"abcdef", large), list)
    assert [reader.recv(2), reader.recv(3), reader.recv(9)] == [b"ab", b"cde", b"f"]
    assert reader.recv(READ_BYTES + 5) == large
    assert reader.recv(1) == b""
    assert reader.whole_text(100) is None


def test_everything_else_is_the_socket_s_own() -> None:
    assert BufferedSocket(Pieces(), list).settimeout(None) == ("settimeout", None)
