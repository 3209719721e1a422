"""Messages through a pipe: whole, in order, with their moments; a full pipe and a closed end are told."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.midi.message_pipe import Arrival, MessageReader, MessageWriter, PipeEndError


def a_pipe() -> tuple[MessageWriter, MessageReader]:
    reading, writing = os.pipe()
    return MessageWriter(writing), MessageReader(reading)


@given(st.lists(st.tuples(st.integers(0, 2**62), st.binary(min_size=1, max_size=60)), max_size=30), st.data())
def test_what_goes_in_comes_out_however_the_ends_take_turns(
    messages: list[tuple[int, bytes]], data: st.DataObject
) -> None:
    writer, reader = a_pipe()
    taken: list[Arrival | None] = []
    for message in messages:
        assert writer.write(*message)
        if data.draw(st.booleans()) and (arrival := reader.read()) is not None:
            taken.append(arrival)
    writer.close()
    taken += [reader.read() for _ in range(len(messages) - len(taken))]
    assert taken == messages
    with pytest.raises(PipeEndError, match="closed"):
        reader.read()
    reader.close()


def test_a_full_pipe_takes_nothing_more_and_loses_nothing() -> None:
    writer, reader = a_pipe()
    count = 0
    while writer.write(count, b"\x90\x3c\x40"):
        count += 1
    assert count > 1000
    reader.wait(1.0)
    assert [reader.read() for _ in range(count)] == [(number, b"\x90\x3c\x40") for number in range(count)]
    assert writer.write(count, b"\x80\x3c\x40")
    reader.close()
    with pytest.raises(PipeEndError, match="nobody reads"):
        writer.check()
    with pytest.raises(PipeEndError, match="nobody reads"):
        writer.write(0, b"\x80\x3c\x40")
    writer.close()


def test_a_message_longer_than_the_pipe_takes_at_once_waits_for_room_and_no_longer() -> None:
    writer, reader = a_pipe()
    long = b"\xf0" + bytes(60_000) + b"\xf7"
    assert writer.write(7, long)
    with pytest.raises(PipeEndError, match="stuck"):
        writer.write(8, long)
    assert reader.read() == (7, long)


def test_a_pipe_that_says_nonsense_is_left() -> None:
    reading, writing = os.pipe()
    os.write(writing, b"\xff" * 40)
    with pytest.raises(PipeEndError, match="damaged"):
        MessageReader(reading).read()
