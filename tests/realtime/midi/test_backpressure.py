"""Queues have an end: what ends something always gets in, nothing else does once it is full."""

from hypothesis import given
from hypothesis import strategies as st

from realtime.midi.backpressure import AdmissionControl, BoundedQueue
from realtime.midi.message import MessageKind, kind_of

MESSAGES = st.one_of(
    st.builds(lambda status, key, value: bytes((status, key, value)), st.sampled_from((0x80, 0x90, 0x91)),
              st.integers(60, 63), st.integers(0, 127)),
    st.builds(lambda number, value: bytes((0xB0, number, value)), st.sampled_from((1, 64, 121, 123)),
              st.integers(0, 127)),
)  # fmt: skip


@given(st.lists(MESSAGES, max_size=300), st.integers(0, 5))
def test_a_queue_that_nobody_empties_ends_and_leaves_no_key_down(messages: list[bytes], most: int) -> None:
    room = BoundedQueue[bytes](most)
    for data in messages:
        room.enter(data, data)
    let_in = list[bytes]()
    while (first := room.first()) is not None:
        let_in.append(first)
        room.leave()
    assert len(let_in) <= most + most
    assert len(let_in) + room.refused == len(messages)
    down = set[tuple[int, int]]()
    for data in let_in:
        if kind_of(data) is MessageKind.NOTE_ON:
            down.add((data[0] & 15, data[1]))
    for channel, pitch in down:
        last = max((index for index, data in enumerate(messages) if data[0] & 15 == channel and _is_of(data, pitch)))
        if kind_of(messages[last]) is not MessageKind.NOTE_ON:
            kept = [data for data in let_in if data[0] & 15 == channel and _is_of(data, pitch)]
            assert kind_of(kept[-1]) is not MessageKind.NOTE_ON, "its release got in"


def _is_of(data: bytes, pitch: int) -> bool:
    kind = kind_of(data)
    return kind is MessageKind.SILENCE or (kind in (MessageKind.NOTE_ON, MessageKind.NOTE_OFF) and data[1] == pitch)


def test_a_gate_opens_again_when_the_queue_is_shorter() -> None:
    gate = AdmissionControl(2)
    note, other, off = (bytes.fromhex(text) for text in ("903c40", "903e40", "803c00"))
    assert gate.admits(note, 0)
    assert not gate.admits(other, 2)
    assert gate.admits(off, 2)
    assert not gate.admits(off, 3)
    assert gate.admits(other, 1)
    assert gate.refused == 2
