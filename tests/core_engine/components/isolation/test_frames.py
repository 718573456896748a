from __future__ import annotations

import json
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core_engine.components.isolation.frames import (
    MAX_FRAME_BYTES,
    MAX_REQUEST_BYTES,
    MAX_VALUE_BYTES,
    FrameReader,
    encode,
)
from core_engine.components.isolation.tasks import program

FRAMES = st.lists(
    st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=20), max_size=3), max_size=5
)


@given(FRAMES, st.integers(1, 9))
def test_frames_come_back_whole_however_they_are_cut(frames, size) -> None:
    data = b"".join(map(encode, frames))
    reader = FrameReader(10_000, json.loads)
    got = [frame for start in range(0, len(data), size) for frame in reader.feed(data[start : start + size])]
    assert got == frames


def test_a_frame_over_the_limit_is_refused_by_its_header_alone() -> None:
    with pytest.raises(ValueError, match="too long"):
        FrameReader(100, json.loads).feed(struct.pack(">I", 101))


def test_a_frame_that_is_no_object_is_refused() -> None:
    with pytest.raises(ValueError, match="not an object"):
        FrameReader(100, json.loads).feed(encode([1]))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1, 2}, object()])
def test_what_is_not_json_is_not_written(value) -> None:
    with pytest.raises((TypeError, ValueError)):
        encode({"value": value})


def test_the_limits_are_those_that_are_told() -> None:
    assert (MAX_REQUEST_BYTES, MAX_VALUE_BYTES, MAX_FRAME_BYTES) == (8_388_608, 1_048_576, 3_149_824)
    assert program.MAX_VALUE_BYTES + len(encode({"kind": "result", "value": ""})) <= MAX_FRAME_BYTES


def test_a_frame_as_long_as_the_limit_is_read_when_it_is_there() -> None:
    frame = encode({"n": 1})
    reader = FrameReader(len(frame) - 4, json.loads)
    assert [reader.feed(frame[:4]), reader.feed(frame[4:-1]), reader.feed(frame[-1:])] == [[], [], [{"n": 1}]]
    assert reader.feed(frame + frame + frame[:4]) == [{"n": 1}, {"n": 1}]
    with pytest.raises(ValueError, match="a frame of 8 bytes is too long"):
        FrameReader(7, json.loads).feed(encode({"n": 12})[:4])
