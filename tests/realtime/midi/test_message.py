"""MIDI bytes and events: every message has one defined meaning."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from piano.events import Event, NoteOff, NoteOn, Pedal
from realtime.midi.message import MessageKind, PianoReader, bytes_of, channel_of, event_of, kind_of, on_channel, split

EVENTS = st.one_of(
    st.builds(NoteOn, st.integers(21, 108), st.integers(1, 127)),
    st.builds(NoteOff, st.integers(21, 108)),
    st.builds(Pedal, st.booleans()),
)


@given(EVENTS, st.integers(0, 15).filter(lambda channel: channel != 9))
def test_events_survive_the_wire(event: Event, channel: int) -> None:
    data = bytes_of(event, channel)
    assert event_of(data) == event
    assert channel_of(data) == channel


@given(st.binary(max_size=6))
def test_any_bytes_have_a_meaning(data: bytes) -> None:
    event = event_of(data)
    if kind_of(data) is MessageKind.MALFORMED:
        assert event is None
    if isinstance(event, NoteOn):
        assert 21 <= event.pitch <= 108
        assert 1 <= event.velocity <= 127


@pytest.mark.parametrize(
    ("hexdump", "kind", "event"),
    [
        ("90 3c 40", MessageKind.NOTE_ON, NoteOn(60, 64)),
        ("90 3c 00", MessageKind.NOTE_OFF, NoteOff(60)),  # note-on of velocity 0
        ("83 3c 40", MessageKind.NOTE_OFF, NoteOff(60)),  # channel 4
        ("90 14 40", MessageKind.NOTE_ON, None),  # below the lowest key
        ("90 6d 40", MessageKind.NOTE_ON, None),  # above the highest
        ("99 3c 40", MessageKind.NOTE_ON, None),  # drums
        ("b0 40 40", MessageKind.SUSTAIN, Pedal(down=True)),
        ("b0 40 3f", MessageKind.SUSTAIN, Pedal(down=False)),
        ("b0 42 7f", MessageKind.CHANNEL, None),  # sostenuto
        ("b0 58 11", MessageKind.VELOCITY_PREFIX, None),
        ("b0 01 11", MessageKind.CHANNEL, None),  # modulation, coarse
        ("b0 21 11", MessageKind.CHANNEL, None),  # modulation, fine: 14 bits
        ("b0 78 00", MessageKind.SILENCE, None),
        ("b0 7b 00", MessageKind.SILENCE, None),
        ("b0 7f 00", MessageKind.SILENCE, None),  # poly mode implies all notes off
        ("b0 79 00", MessageKind.RESET, None),
        ("c0 05", MessageKind.CHANNEL, None),
        ("e0 00 40", MessageKind.CHANNEL, None),
        ("f0 7e 7f 09 01 f7", MessageKind.SYSEX, None),
        ("f2 00 00", MessageKind.SYSTEM_COMMON, None),
        ("f6", MessageKind.SYSTEM_COMMON, None),
        ("f8", MessageKind.REAL_TIME, None),
        ("fe", MessageKind.REAL_TIME, None),
        ("ff", MessageKind.REAL_TIME, None),
        ("", MessageKind.MALFORMED, None),
        ("3c 40", MessageKind.MALFORMED, None),  # running status is not resolved here
        ("90 3c", MessageKind.MALFORMED, None),
        ("90 3c 80", MessageKind.MALFORMED, None),
        ("c0 05 05", MessageKind.MALFORMED, None),
        ("f0 01 02", MessageKind.MALFORMED, None),  # no end
        ("f0 f8 f7", MessageKind.MALFORMED, None),
        ("f4", MessageKind.MALFORMED, None),  # undefined
        ("f7", MessageKind.MALFORMED, None),
        ("f8 f8", MessageKind.MALFORMED, None),
    ],
)
def test_messages_and_what_they_mean(hexdump: str, kind: MessageKind, event: Event | None) -> None:
    data = bytes.fromhex(hexdump)
    assert kind_of(data) is kind
    assert event_of(data) == event


def test_a_half_pedal_is_heard_only_where_it_changes() -> None:
    reader = PianoReader()
    positions = [0, 10, 63, 64, 80, 127, 70, 20, 0, 90]
    heard = [event for position in positions for event in reader.events_of(bytes((0xB0, 64, position)))]
    assert heard == [Pedal(down=True), Pedal(down=False), Pedal(down=True)]
    assert reader.events_of(bytes.fromhex("b0 79 00")) == (Pedal(down=False),)
    assert reader.events_of(bytes.fromhex("90 3c 40")) == (NoteOn(60, 64),)


def test_all_notes_off_lifts_every_key_that_was_struck_on_its_channel() -> None:
    reader = PianoReader()
    for text in ("90 40 40", "90 3c 40", "91 43 40", "b0 40 7f", "80 40 00"):
        reader.events_of(bytes.fromhex(text))
    assert reader.events_of(bytes.fromhex("b0 7b 00")) == (NoteOff(60),)
    assert reader.events_of(bytes.fromhex("b0 7b 00")) == ()
    assert reader.release() == (NoteOff(67), Pedal(down=False))
    assert reader.release() == ()


@pytest.mark.parametrize(
    ("packet", "messages"),
    [
        ("90 3c 40", ["90 3c 40"]),
        ("90 3c 40 3e 40 40 00", ["90 3c 40", "90 3e 40", "90 40 00"]),
        ("90 3c f8 40", ["f8", "90 3c 40"]),
        ("90 3c 40 fe 80 3c 40", ["90 3c 40", "fe", "80 3c 40"]),
        ("f0 01 02 f7 90 3c 40", ["f0 01 02 f7", "90 3c 40"]),
        ("c0 05 06", ["c0 05", "c0 06"]),
        ("3c 40", ["3c 40"]),
        ("90 3c", ["90 3c"]),
        ("90 3c b0 40 7f", ["90 3c", "b0 40 7f"]),
        ("f0 01 02 90 3c 40", ["f0 01 02", "90 3c 40"]),
        ("", []),
    ],
)
def test_what_a_port_gives_as_one_is_split_into_messages(packet: str, messages: list[str]) -> None:
    assert [message.hex(" ") for message in split(bytes.fromhex(packet))] == messages


@given(st.binary(max_size=40))
def test_splitting_loses_nothing_but_what_running_status_adds(packet: bytes) -> None:
    pieces = split(packet)
    assert sum(map(len, pieces)) >= len(packet)
    assert all(pieces)
    whole = [piece for piece in pieces if kind_of(piece) is not MessageKind.MALFORMED]
    assert split(b"".join(whole)) == tuple(whole)


@given(st.integers(0x80, 0xEF), st.integers(0, 15), st.integers(0, 127))
def test_a_message_on_another_channel_says_the_same_there(status: int, channel: int, value: int) -> None:
    moved = on_channel(bytes((status, value, value)), channel)
    assert (channel_of(moved), moved[0] & 0xF0, moved[1:]) == (channel, status & 0xF0, bytes((value, value)))
