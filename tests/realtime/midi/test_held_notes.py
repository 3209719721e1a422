"""The guardian's book: whatever went out, what it returns leaves nothing sounding."""

from hypothesis import given
from hypothesis import strategies as st

from realtime.midi.held_notes import HeldNotes
from realtime.midi.message import split
from tests.support.listener import Listener

MESSAGES = st.one_of(
    st.builds(lambda status, key, value: bytes((status, key, value)),
              st.sampled_from((0x80, 0x90, 0x91, 0x9F)), st.integers(58, 62), st.integers(0, 127)),
    st.builds(lambda number, value: bytes((0xB0, number, value)),
              st.sampled_from((1, 64, 66, 120, 121, 123)), st.integers(0, 127)),
    st.sampled_from((bytes.fromhex("c005"), bytes.fromhex("f001f7"), bytes.fromhex("f8"))),
)  # fmt: skip


@given(st.lists(MESSAGES, max_size=60))
def test_what_it_returns_ends_all_that_sounds(messages: list[bytes]) -> None:
    held, sounding, pedals = HeldNotes(), set[tuple[int, int]](), dict[tuple[int, int], int]()
    for data in messages:
        held.push(data)
        listener = Listener()
        listener.sounding = dict.fromkeys(sounding - {(data[0] & 15, data[1]) if len(data) == 3 else (-1, -1)}, 1)
        if data[0] != 0xF8:
            listener.hear(data)
        sounding = set(listener.sounding)
        if data[0] == 0xB0 and data[1] in (120, 123):
            sounding = {note for note in sounding if note[0] != 0}
        if data[0] == 0xB0 and data[1] in (64, 66):
            pedals[0, data[1]] = data[2]
        elif data[0] == 0xB0 and data[1] == 121:
            pedals.clear()
    released = held.silence()
    assert {(data[0] & 15, data[1]) for data in released if data[0] & 0xF0 == 0x80} == sounding
    for channel, number in (pedal for pedal, value in pedals.items() if value):
        assert bytes((0xB0 | channel, number, 0)) in released
    assert len(held) == 0
    assert held.silence() == []
    assert all(split(data) == (data,) for data in released)
