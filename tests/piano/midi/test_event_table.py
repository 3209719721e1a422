"""Events found in bulk are those that are found one by one, and a key's releases are given out in their order."""

from collections import defaultdict, deque

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from piano.midi.event_table import EventTable, event_table
from piano.midi.events import read_events
from piano.midi.faults import DamageError
from piano.midi.scan import NOTE_ON, scan, variable_length
from piano.midi.strikes import struck_in

WAITS = st.sampled_from([0, 1, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152, (1 << 28) - 1])
VALUES = st.integers(0, 127)


@st.composite
def events(draw: st.DrawFn) -> bytes:
    """Draw an event with its delta time: of a channel, with or without status, a meta or a system one, or any bytes."""
    kind = draw(st.integers(0, 7))
    wait = variable_length(draw(WAITS))
    if kind < 4:
        status = draw(st.sampled_from([0x80, 0x90, 0x93, 0xA0, 0xB0, 0xE0]))
        said = bytes([status]) if kind else b""
        return wait + said + bytes([draw(VALUES), draw(VALUES)])
    if kind == 4:
        return wait + bytes([draw(st.sampled_from([0xC0, 0xD5])), draw(VALUES)])
    if kind == 7:
        return draw(st.binary(min_size=1, max_size=6))
    payload = draw(st.one_of(st.binary(max_size=8), st.just(bytes(200))))
    head = bytes([0xFF, draw(VALUES)]) if kind == 5 else bytes([draw(st.sampled_from([0xF0, 0xF7]))])
    return wait + head + variable_length(len(payload)) + payload


@given(st.lists(events(), max_size=40))
def test_a_body_is_read_in_bulk_as_event_by_event(parts: list[bytes]) -> None:
    body = b"".join(parts)
    table = event_table(body)
    try:
        one_by_one = scan(body, ends_early=False)
    except DamageError:
        assert table is None
        return
    if table is None:  # only for want of the one shape that bulk reading leaves to the other
        assert any(event.runs and event.status & 0xF0 in (0xC0, 0xD0) for event in one_by_one)
    else:
        assert table.events() == one_by_one
        again = EventTable.of_events(one_by_one)
        assert all(
            np.array_equal(getattr(table, name), getattr(again, name)) for name in ("tick", "start", "data", "end")
        )


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 1), st.sampled_from([60, 61, 64]), st.integers(0, 2))))
def test_a_release_goes_to_the_oldest_key_that_waits_for_one(presses: list[tuple[bool, int, int, int]]) -> None:
    body = b"".join(
        bytes([wait, (0x90 if is_on else 0x80) | channel, pitch, 64]) for is_on, channel, pitch, wait in presses
    )
    track = read_events(body, 0)
    waiting: dict[int, deque[int]] = defaultdict(deque)
    release: dict[int, int] = {}
    for number, event in enumerate(track.events):
        key = (event.status & 0x0F) * 128 + body[event.data]
        if event.status & 0xF0 == NOTE_ON:
            waiting[key].append(number)
        elif waiting[key]:
            release[waiting[key].popleft()] = event.tick
    struck = struck_in([track], side_by_side=True)
    assert struck["event"].tolist() == [n for n, e in enumerate(track.events) if e.status & 0xF0 == NOTE_ON]
    for strike in struck:
        number, onset = int(strike["event"]), int(strike["onset"])
        key = int(strike["channel"]) * 128 + int(strike["pitch"])
        own = release.get(number, track.end_tick)
        others = [
            tick
            for other, tick in release.items()
            if tick > onset and (track.events[other].status & 0x0F) * 128 + body[track.events[other].data] == key
        ]
        hanging = list(waiting[key])
        expected = min([own, *others]) if own > onset else own
        if number in hanging and not others:
            expected = track.end_tick
        assert strike["end"] == expected
