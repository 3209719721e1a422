"""The take: what went over the wire, in memory and as a file of named tracks."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from piano.events import Event, NoteOff, NoteOn, Pedal, TimedEvent
from piano.midi.file import read_tracks
from realtime.cli.demo_phrases import QUESTION, read_phrase
from realtime.midi.message import bytes_of
from realtime.midi.performance_messages import messages_of
from realtime.take.message_log import MOST_KEPT, MessageLog
from realtime.take.midi_export import midi_of
from realtime.take.take import Take, TakePlace, TakeRecord, TakeSource, performance_of
from tests.support.scripted_play import MS, S, a_run

CHANNEL_MESSAGES = st.tuples(st.sampled_from((0x80, 0x90, 0xB0, 0xE0)), *3 * [st.integers(0, 127)]).map(
    lambda parts: bytes((parts[0] | parts[1] % 16, parts[2], parts[3]))
)


@given(st.lists(st.integers(0, 50), max_size=40), st.integers(-1, 51))
def test_what_came_from_a_moment_on_is_found(moments: list[int], since_ns: int) -> None:
    take = Take()
    for at_ns in sorted(moments):
        take.play(at_ns, b"\x90\x3c\x40")
        take.send(at_ns, b"\x80\x3c\x40")
    expected = [record for record in take.since(TakePlace()) if record.at_ns >= since_ns]
    assert take.last(since_ns) == expected


def test_events_become_notes_and_changes_of_the_pedal() -> None:
    events: list[tuple[float, Event]] = [
        (1.0, NoteOn(60, 50)),
        (1.1, Pedal(down=True)),
        (1.2, Pedal(down=True)),
        (1.5, NoteOn(60, 70)),
        (2.0, NoteOff(60)),
        (2.1, NoteOff(60)),
        (2.5, NoteOn(64, 80)),
        (3.0, Pedal(down=False)),
    ]
    made = performance_of([TimedEvent(round(at_s * S), event) for at_s, event in events], S)
    expected = [(0.0, 0.5, 60, 50, 0), (0.5, 0.5, 60, 70, 0), (1.5, 0.5, 64, 80, 0)]
    for row, wanted in zip(made.notes.tolist(), expected, strict=True):
        assert row == pytest.approx(wanted)
    assert made.pedals["down"].tolist() == [True, False]
    assert performance_of([], 0).notes.size == performance_of([], 0).pedals.size == 0


@given(st.lists(st.tuples(st.integers(0, 500), st.integers(60, 63), st.booleans()), max_size=30))
def test_every_key_that_goes_down_is_one_note(done: list[tuple[int, int, bool]]) -> None:
    at_ns, events = 0, []
    for gap_ms, pitch, is_on in done:
        at_ns += gap_ms * MS
        events.append(TimedEvent(at_ns, NoteOn(pitch, 60) if is_on else NoteOff(pitch)))
    made = performance_of(events, 0)
    assert made.notes.size == sum(is_on for _, _, is_on in done)
    for pitch in range(60, 64):
        notes = made.notes[made.notes["pitch"] == pitch]
        ends = notes["onset_s"] + notes["duration_s"]
        assert (ends[:-1] <= notes["onset_s"][1:] + 0.0011).all()


def test_a_take_is_two_tracks_from_the_first_key_on(tmp_path: Path) -> None:
    run = a_run()
    phrase = read_phrase(QUESTION)
    run.play(messages_of(phrase, 3 * S))
    run.run_until(18 * S)
    run.finish()
    data = midi_of(run.partner.take.since(TakePlace()))
    assert data is not None
    (tmp_path / "take.mid").write_bytes(data)
    player, pianod = read_tracks(tmp_path / "take.mid")
    assert (player.name, pianod.name) == ("player", "pianod")
    np.testing.assert_allclose(player.performance.notes["onset_s"], phrase.notes["onset_s"], atol=0.001)
    assert pianod.performance.notes.size > 3


def test_an_answer_alone_begins_the_take() -> None:
    take = Take()
    take.send(5 * S, bytes_of(NoteOn(60, 60)))
    take.send(6 * S, bytes_of(NoteOff(60)))
    assert take.tracks()[1].performance.notes["onset_s"].tolist() == [0.0]


@given(st.lists(st.tuples(st.integers(0, 10**12), st.sampled_from(TakeSource), CHANNEL_MESSAGES), max_size=40))
def test_every_note_that_is_kept_is_in_the_file_and_ends(rows: list[tuple[int, TakeSource, bytes]]) -> None:
    records = [TakeRecord(at_ns, source, data) for at_ns, source, data in sorted(rows, key=lambda row: row[0])]
    data = midi_of(records)
    if data is None:
        assert not any(record.data[0] & 0xF0 == 0x90 and record.data[2] for record in records)
        return
    for track in read_tracks(data):
        assert (track.performance.notes["duration_s"] <= 10**3 + 1).all()
    assert data.count(b"MTrk") >= 2


def test_a_take_keeps_half_pedals_and_other_controllers() -> None:
    take = Take()
    messages = ["903c40", "b04021", "b04301", "e00110", "c005", "803c40"]
    for index, message in enumerate(messages):
        take.play(index * S, bytes.fromhex(message))
    data = midi_of(take.since(TakePlace())) or b""
    for message in messages:
        assert bytes.fromhex(message) in data


def test_what_is_passed_on_unchanged_is_no_track_of_its_own() -> None:
    def tracks(velocity: int) -> list[str]:
        take = Take()
        take.play(0, bytes_of(NoteOn(60, 50)))
        take.pass_on(1, bytes_of(NoteOn(60, velocity)))
        return [track.name for track in read_tracks(midi_of(take.since(TakePlace())) or b"")]

    assert tracks(50) == ["player", "pianod"]
    assert tracks(80) == ["player", "pianod", "passed on"]


def test_an_output_on_channel_10_is_a_piano_in_the_take() -> None:
    take = Take()
    take.send(0, bytes_of(NoteOn(60, 60), 9))
    take.send(S, bytes_of(NoteOff(60), 9))
    assert take.tracks()[1].performance.notes["pitch"].tolist() == [60]
    assert read_tracks(midi_of(take.since(TakePlace())) or b"")[1].performance.notes["pitch"].tolist() == [60]


def test_clocks_and_system_exclusive_are_no_part_of_a_take() -> None:
    take = Take()
    for data in (b"\xf8", b"\xfe", b"\xf0" + bytes(1_000_000) + b"\xf7", b"\x90\x3c", b""):
        take.play(0, data)
        take.send(0, data)
    assert midi_of(take.since(TakePlace())) is None


def test_a_rest_of_days_is_written() -> None:
    records = [TakeRecord(at_ns, TakeSource.PLAYED, bytes_of(NoteOn(60, 60))) for at_ns in (0, 10**15)]
    assert len(midi_of(records) or b"") < 500


@given(st.lists(CHANNEL_MESSAGES, max_size=30), st.integers(-40, 40), st.integers(-40, 40))
def test_a_log_is_a_sequence_of_messages(messages: list[bytes], first: int, last: int) -> None:
    log, plain = MessageLog(), list(enumerate(messages))
    for at_ns, data in plain:
        log.append(at_ns, data, mark=at_ns % 2 == 0)
    assert log == plain
    assert (len(log), log[first:last], log[::-1]) == (len(plain), plain[first:last], plain[::-1])
    assert [mark for _, _, mark in log.between(0, len(log))] == [at_ns % 2 == 0 for at_ns, _ in plain]
    if plain:
        assert log[-1] == plain[-1]


def test_a_log_of_days_lets_the_oldest_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("realtime.take.message_log._PER_CHUNK", 4)
    monkeypatch.setattr("realtime.take.message_log._MOST_CHUNKS", 3)
    log = MessageLog()
    for number in range(21):
        log.append(number, b"\xc0\x01")
    assert [at_ns for at_ns, _ in log] == list(range(12, 21))
    assert (len(log), log.first, log[12][0], log[13:15]) == (21, 12, 12, [(13, b"\xc0\x01"), (14, b"\xc0\x01")])
    with pytest.raises(IndexError, match="there is no message at 11"):
        log[11]
    assert MOST_KEPT * 12 < 64 << 20, "bytes"
