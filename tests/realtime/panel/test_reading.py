"""What is read of a MIDI file for a page: all of its notes, what sounded of a take, and tasks, given and asked."""

import json
import tempfile
from pathlib import Path

import mido
import numpy as np
import pytest

from piano.errors import MidiFileError, PianodError
from piano.midi.file import MidiTrack, write_performance
from piano.notes import NOTE, PEDAL, Performance
from piano.tokens.vocabulary import FILL_TASKS, TASKS
from realtime.panel.reading import main, read
from realtime.take.midi_export import midi_of
from realtime.take.take import PASSED_ON, PIANOD, PLAYER, TakeRecord, TakeSource
from tests.realtime.panel.pieces import scale, write_piece


@pytest.fixture
def piece(tmp_path: Path) -> bytes:
    return write_piece(tmp_path / "piece.mid").read_bytes()


def a_take(path: Path, *names: str) -> bytes:
    write_performance(path, [MidiTrack(name, scale(4 + index)) for index, name in enumerate(names)])
    return path.read_bytes()


def test_a_picture_has_all_notes_and_pedals(piece: bytes) -> None:
    (layer,) = read(piece, "picture")["layers"]
    assert len(layer["notes"]) == scale().notes.size
    assert layer["notes"][0] == pytest.approx([0.0, 0.5, 40, 70], abs=2e-3)
    assert len(layer["pedals"]) == 1


def test_what_was_passed_on_stands_for_what_was_played(tmp_path: Path) -> None:
    plain = read(a_take(tmp_path / "a.mid", PLAYER, PIANOD), "picture")
    assert [layer["name"] for layer in plain["layers"]] == [PLAYER, PIANOD]
    mended = read(a_take(tmp_path / "b.mid", PLAYER, PIANOD, PASSED_ON), "picture")
    assert [layer["name"] for layer in mended["layers"]] == [PASSED_ON, PIANOD]


def test_of_many_tracks_the_first_is_seen_and_all_others(tmp_path: Path) -> None:
    layers = read(a_take(tmp_path / "a.mid", "melody", "bridge", "piano"), "picture")["layers"]
    assert [layer["name"] for layer in layers] == ["melody", "others"]
    assert len(layers[1]["notes"]) >= scale(6).notes.size > scale(5).notes.size


def test_a_take_is_read_as_it_is_written() -> None:
    records = [TakeRecord(0, TakeSource.OWN, b"\x90\x3c\x40"), TakeRecord(10**9, TakeSource.OWN, b"\x80\x3c\x40")]
    data = midi_of(records)
    assert data is not None
    layers = read(data, "picture")["layers"]
    assert [(layer["name"], len(layer["notes"])) for layer in layers] == [(PLAYER, 0), (PIANOD, 1)]


def test_messages_are_in_order_and_each_key_comes_up(piece: bytes) -> None:
    sent = read(piece, "messages")
    assert [at_ns for at_ns, _ in sent] == sorted(at_ns for at_ns, _ in sent)
    kinds = [digits[0] for _, digits in sent]
    assert kinds.count("9") == kinds.count("8") == scale().notes.size


@pytest.mark.parametrize("task", TASKS)
def test_each_task_shows_what_is_given_and_what_is_asked(piece: bytes, task: str) -> None:
    given, asked = read(piece, "task", task, "3")["layers"]
    assert (given["name"], asked["name"]) == ("given", "asked")
    whole = scale().notes.size
    if task in FILL_TASKS:
        assert len(given["notes"]) + len(asked["notes"]) == whole
    else:
        assert len(asked["notes"]) == whole
    if task not in (*FILL_TASKS, "continue"):
        assert given["notes"], "what comes in is shown"


def test_velocities_are_shown_as_they_were_heard(piece: bytes) -> None:
    given, asked = read(piece, "task", "denoise_velocity", "3")["layers"]
    assert [row[:3] for row in given["notes"]] == [row[:3] for row in asked["notes"]]
    assert [row[3] for row in given["notes"]] != [row[3] for row in asked["notes"]]


def test_the_same_seed_shows_the_same_example(piece: bytes) -> None:
    assert read(piece, "task", "random", "1") == read(piece, "task", "random", "1")
    assert read(piece, "task", "random", "1") != read(piece, "task", "random", "2")


def test_what_cannot_be_read_is_told(tmp_path: Path, piece: bytes) -> None:
    with pytest.raises(MidiFileError):
        read(b"MThd", "picture")
    with pytest.raises(ValueError, match="no task"):
        read(piece, "task", "dance", "1")
    write_performance(tmp_path / "empty.mid", [MidiTrack("", Performance(np.array([], NOTE), np.array([], PEDAL)))])
    with pytest.raises(MidiFileError, match="no note"):
        read((tmp_path / "empty.mid").read_bytes(), "task", "gap", "1")


def test_as_a_process_it_answers_with_json(
    piece: bytes, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Input:
        def __init__(self, data: bytes) -> None:
            self.buffer = self
            self.data = data

        def read(self) -> bytes:
            return self.data

    monkeypatch.setattr("sys.stdin", Input(piece))
    assert main(["picture"]) == 0
    assert json.loads(capsys.readouterr().out)["layers"]
    monkeypatch.setattr("sys.stdin", Input(b"MThd"))
    assert main(["picture"]) == 2
    assert capsys.readouterr().err.strip()


def test_faults_do_not_name_the_place_where_it_was_laid_for_reading(tmp_path: Path) -> None:
    mido.MidiFile(tracks=[mido.MidiTrack()]).save(tmp_path / "empty.mid")
    empty = (tmp_path / "empty.mid").read_bytes()
    for data, *what in ((b"no music", "reference"), (b"no music", "picture"), (empty, "chart", ".mid")):
        with pytest.raises(PianodError, match="this file") as fault:
            read(data, *what)
        assert tempfile.gettempdir() not in str(fault.value)
