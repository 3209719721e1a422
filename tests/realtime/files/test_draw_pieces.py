"""Offline, from file to file: lengths, parts, variants, what is written, and what is refused before any work."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from piano.errors import PianodError
from piano.events import Event, NoteOff, NoteOn, Pedal, TimedEvent
from piano.midi.document import MidiDocument
from piano.midi.file import MidiTrack, read_tracks, write_performance
from piano.notes import NOTE, PEDAL, Performance
from realtime.cli.command_line import main
from realtime.cli.demo_phrases import NAMES, QUESTION, phrase_path, read_phrase
from realtime.cli.demo_phrases.compose import SCORES, perform
from realtime.files import continue_files, new_pieces, session_maker
from realtime.files import draw_pieces as offline
from realtime.files.continuation import NOTHING, Continuation, PieceLength, first_notes, go_on, moved, part_of
from realtime.files.continue_files import run_continue
from realtime.files.requests import PieceRequest
from realtime.files.task_requests import ContinueFilesRequest, NewPiecesRequest
from realtime.midi.performance_messages import messages_of
from realtime.performers.play_settings import AnswerSettings
from realtime.settings import Settings
from realtime.take.take import performance_of
from realtime.threads import logs
from tests.support.chance_makers import ChancePieces
from tests.support.scripted_play import MS, S, a_run
from tests.support.session_models import model_of_chance

PLAIN = Settings(seed=7)


@pytest.fixture(autouse=True)
def model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_maker, "open_bundle", lambda _: None)
    monkeypatch.setattr(session_maker, "open_session", lambda *_, **__: (model_of_chance(), "chance"))


def request(tmp_path: Path, **wishes: object) -> ContinueFilesRequest:
    asked = {"files": (str(phrase_path(QUESTION)),), "out": tmp_path / "out.mid", **wishes}
    return ContinueFilesRequest.model_validate(asked)


def test_a_piece_is_gone_on_with(tmp_path: Path) -> None:
    wishes = request(tmp_path, seconds=6.0, events=tmp_path / "events.json", plot=True)
    assert run_continue(PLAIN, wishes) == 0
    primer, continuation = read_tracks(tmp_path / "out.mid")
    assert continuation.name == "continuation"
    given = MidiDocument.read(phrase_path(QUESTION))
    assert [part.body for part in MidiDocument.read(tmp_path / "out.mid").tracks[:-1]] == [
        part.body for part in given.tracks
    ]
    phrase = read_phrase(QUESTION)
    assert primer.performance.notes.size == phrase.notes.size
    np.testing.assert_allclose(primer.performance.notes["onset_s"], phrase.notes["onset_s"], atol=0.001)
    new = continuation.performance
    assert phrase.end_s - 0.001 <= new.notes["onset_s"][0] <= phrase.end_s + 0.05
    assert new.end_s <= phrase.end_s + 6.001
    assert (tmp_path / "out.png").exists()
    told = json.loads((tmp_path / "events.json").read_text())
    assert told["seed"] == 7
    struck = sum(event["event"] == "note_on" for event in told["events"])
    assert (
        new.notes.size <= struck <= 1.05 * new.notes.size
    )  # a file does not tell two strokes within its shortest time


def test_the_same_seed_gives_the_same_file_and_another_another(tmp_path: Path) -> None:
    made = []
    for seed in (7, 7, 8):
        run_continue(Settings(seed=seed), request(tmp_path, seconds=3.0))
        made.append((tmp_path / "out.mid").read_bytes())
    assert made[0] == made[1] != made[2]


def test_variants_have_the_next_seeds(tmp_path: Path) -> None:
    run_continue(Settings(seed=8), request(tmp_path, notes=9, out=tmp_path / "single.mid"))
    run_continue(PLAIN, request(tmp_path, notes=9, variants=2))
    assert (tmp_path / "out-2.mid").read_bytes() == (tmp_path / "single.mid").read_bytes()
    assert (tmp_path / "out-1.mid").read_bytes() != (tmp_path / "out-2.mid").read_bytes()
    assert not (tmp_path / "out.mid").exists()


def test_a_new_piece_comes_from_nothing(tmp_path: Path) -> None:
    wish = NewPiecesRequest(jobs=1, out=tmp_path / "deep" / "new.mid", notes=25)
    assert new_pieces.run_new(Settings(seed=8), wish) == 0  # no key is struck twice within a step by this seed
    [track] = read_tracks(tmp_path / "deep" / "new.mid")
    assert (track.name, track.performance.notes.size) == ("piece", 25)
    assert track.performance.notes["onset_s"][0] <= 0.05


def test_what_follows_the_part_that_is_heard_makes_room(tmp_path: Path) -> None:
    run_continue(PLAIN, request(tmp_path, notes=5, start_s=1.0, end_s=3.0))
    kept, continuation = read_tracks(tmp_path / "out.mid")
    onset_s = read_phrase(QUESTION).notes["onset_s"]
    np.testing.assert_allclose(kept.performance.notes["onset_s"], onset_s[onset_s < 3.0], atol=0.001)
    assert continuation.performance.notes["onset_s"][0] >= 2.9


def test_a_folder_goes_on_and_each_file_has_its_own_seed(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("a.mid", "b.mid"):
        (folder / name).write_bytes(phrase_path(QUESTION).read_bytes())
    run_continue(PLAIN, request(tmp_path, files=(str(folder),), out=tmp_path / "made", notes=9, jobs=1, plot=True))
    first, second = ((tmp_path / "made" / name).read_bytes() for name in ("a.mid", "b.mid"))
    assert first != second
    assert (tmp_path / "made" / "b.png").exists()


def test_the_tempo_of_a_new_piece_moves_no_note(tmp_path: Path) -> None:
    for bpm in (None, 75.0):
        new_pieces.run_new(PLAIN, NewPiecesRequest(jobs=1, out=tmp_path / f"{bpm}.mid", notes=12, bpm=bpm))
    plain, slow = (read_tracks(tmp_path / f"{bpm}.mid")[0].performance.notes for bpm in (None, 75.0))
    np.testing.assert_allclose(slow["onset_s"], plain["onset_s"], atol=0.001)
    assert MidiDocument.read(tmp_path / "75.0.mid").clocks[0].ticks(np.array([60.0])).tolist() == [75_000]


def test_new_pieces_are_the_same_however_many_make_them_and_are_made_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def new(folder: str, **wishes: object) -> dict[str, bytes]:
        asked = {"out": tmp_path / folder / "new.mid", "notes": 9, "variants": 3, "jobs": 1, **wishes}
        assert new_pieces.run_new(PLAIN, NewPiecesRequest.model_validate(asked)) == 0
        return {path.name: path.read_bytes() for path in sorted((tmp_path / folder).glob("*.mid"))}

    made = new("one")
    assert list(made) == ["new-1.mid", "new-2.mid", "new-3.mid"]
    assert len(set(made.values())) == 3
    monkeypatch.setattr(new_pieces, "PieceMaker", ChancePieces)
    assert new("two", jobs=2) == made
    kept = (tmp_path / "one" / "new-1.mid").stat()
    (tmp_path / "one" / "new-2.mid").unlink()
    assert new("one") == made
    assert (tmp_path / "one" / "new-1.mid").stat().st_mtime_ns == kept.st_mtime_ns
    new("one", again=True)
    assert (tmp_path / "one" / "new-1.mid").stat().st_mtime_ns > kept.st_mtime_ns


def test_without_a_seed_a_new_piece_is_another(tmp_path: Path) -> None:
    made = []
    for _ in range(2):
        new_pieces.run_new(Settings(), NewPiecesRequest(out=tmp_path / "new.mid", notes=9, jobs=1))
        made.append((tmp_path / "new.mid").read_bytes())
    assert made[0] != made[1]


def test_speed_and_pitch_of_what_is_written(tmp_path: Path) -> None:
    run_continue(PLAIN, request(tmp_path, notes=10))
    run_continue(PLAIN, request(tmp_path, notes=10, speed=2.0, transpose=-3, out=tmp_path / "moved.mid"))
    for plain, other in zip(read_tracks(tmp_path / "out.mid"), read_tracks(tmp_path / "moved.mid"), strict=True):
        before, after = plain.performance.notes, other.performance.notes
        np.testing.assert_array_equal(np.sort(after["pitch"] + 3), np.sort(before["pitch"]))
        np.testing.assert_allclose(after["onset_s"] * 2, before["onset_s"], atol=0.002)


def test_what_leaves_the_pitches_of_midi_is_left_out() -> None:
    notes = np.array([(0, 1, 100, 50, 0), (0, 1, 20, 50, 0)], NOTE)
    assert moved(Performance(notes), semitones=30).notes["pitch"].tolist() == [50]
    assert moved(Performance(notes), semitones=-30).notes["pitch"].tolist() == [70]


@settings(max_examples=10, deadline=None)
@given(st.integers(1, 40), st.integers(0, 99))
def test_a_length_in_notes_is_kept_and_each_note_ends(count: int, seed: int) -> None:
    made = go_on(a_run(model_of_chance(seed), AnswerSettings(pause=None)), NOTHING, PieceLength(notes=count))
    assert made.performance.notes.size == count
    assert not made.is_short
    ons = sum(isinstance(timed.event, NoteOn) for timed in made.events)
    offs = sum(isinstance(timed.event, NoteOff) for timed in made.events)
    assert ons == offs == count


def test_the_first_of_two_lengths_counts() -> None:
    run = a_run(answers=AnswerSettings(pause=None))
    assert go_on(run, NOTHING, PieceLength(seconds=60.0, notes=3)).performance.notes.size == 3
    run = a_run(answers=AnswerSettings(pause=None))
    assert go_on(run, NOTHING, PieceLength(seconds=1.0, notes=1000)).performance.end_s <= 1.001
    with pytest.raises(ValueError, match="needs seconds or notes"):
        PieceLength()


def test_music_that_ends_by_itself_is_short_and_drawn_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    seeds: list[int] = []
    sizes = {7: 2, 9: 5, 11: 4}

    def drawn(*_: object, **__: object) -> Continuation:
        seed = seeds[-1]
        events = [TimedEvent(i * S, NoteOn(60, 60)) for i in range(sizes[seed])]
        return Continuation(0.0, tuple(events), is_short=True)

    def noted(settings: Settings, seed: int, *, is_new: bool, ending_s: float | None) -> object:
        seeds.append(seed)
        return kept(settings, seed, is_new=is_new, ending_s=ending_s)

    kept = offline.partner_settings
    monkeypatch.setattr(offline, "partner_settings", noted)
    monkeypatch.setattr(offline, "go_on", drawn)
    seed, made = offline.draw_pieces(PLAIN, PieceRequest(out=tmp_path / "a"), model_of_chance(), NOTHING, [7, 9, 11])
    assert (seed, made.performance.notes.size, seeds) == (9, 5, [7, 9, 11])


def test_a_file_is_gone_on_with_for_as_long_as_was_asked_however_long_an_answer_is() -> None:
    told = offline.partner_settings(Settings(answer="phrase"), 3, is_new=False)
    run = a_run(model_of_chance(), told.playing.answers)
    primer = Performance(np.array([(0.0, 0.5, 60, 64, 0), (0.5, 0.5, 62, 64, 0)], NOTE))
    assert not go_on(run, primer, PieceLength(seconds=30.0)).is_short


def test_the_first_notes_end_with_their_pedal() -> None:
    events: list[Event] = [
        NoteOn(60, 1),
        Pedal(down=True),
        NoteOn(62, 1),
        NoteOff(60),
        NoteOn(60, 2),
        NoteOff(62),
        NoteOff(60),
    ]
    timed = [TimedEvent(index * MS, event) for index, event in enumerate(events)]
    kept = [event.event for event in first_notes(timed, 2)]
    assert kept == [*events[:4], NoteOff(62), Pedal(down=False)]


def test_a_part_begins_anew_and_lets_go_at_its_end() -> None:
    notes = np.array([(0, 1, 60, 50, 0), (2, 5, 62, 50, 0), (4, 1, 64, 50, 0)], NOTE)
    pedals = np.array([(0.5, True), (3.0, False), (3.1, True), (9.0, False)], PEDAL)
    part = part_of(Performance(notes, pedals), 1.0, 4.0)
    assert part.notes[["onset_s", "duration_s", "pitch"]].tolist() == [(1.0, 2.0, 62)]
    assert part.pedals.tolist() == [(0.0, True), (2.0, False), pytest.approx((2.1, True)), (3.0, False)]
    assert part_of(Performance(notes, pedals), 4.5, None).notes.size == 0


@pytest.mark.parametrize("name", NAMES)
def test_the_phrases_are_what_their_scores_make(name: str) -> None:
    made, read = perform(SCORES[name]), read_phrase(name)
    assert made.notes["pitch"].tolist() == read.notes["pitch"].tolist()
    np.testing.assert_allclose(made.notes["onset_s"], read.notes["onset_s"], atol=0.0005)
    assert made.pedals["down"].tolist() == read.pedals["down"].tolist()


def test_messages_and_back() -> None:
    phrase = read_phrase(QUESTION)
    run = a_run(answers=AnswerSettings(pause=None))
    messages = messages_of(phrase)
    run.play(messages)
    run.run_until(messages[-1][0])
    heard = performance_of(run.partner.take.heard, 0)
    np.testing.assert_array_equal(heard.notes["pitch"], phrase.notes["pitch"])
    np.testing.assert_allclose(heard.notes["duration_s"], phrase.notes["duration_s"], atol=1e-6)


@pytest.mark.parametrize(
    ("wishes", "says"),
    [
        ({"files": ("missing.mid",)}, "missing.mid: there is no such file"),
        ({"files": ("damaged.mid",)}, "damaged.mid: "),
        ({"files": ("empty.mid",)}, "there is no note in it"),
        ({"start_s": 500.0}, "no note begins from 500 s to the end; the music goes on until 10.8 s"),
        ({"out": "damaged.mid/out.mid"}, "cannot be written"),
        ({"events": "damaged.mid/events.json"}, "--events .* cannot be written"),
        ({"out": "song.mid", "files": ("song.mid",)}, "its own output"),
        ({"files": ("song.mid", "empty.mid"), "out": "made", "events": "e.json"}, "--events e.json is one file"),
    ],
)
def test_faults_are_told_before_any_music(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wishes: dict[str, object], says: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("damaged.mid").write_bytes(b"MThd\0\0\0\x06\0\x01")
    Path("song.mid").write_bytes(phrase_path(QUESTION).read_bytes())
    write_performance(Path("empty.mid"), [MidiTrack("nothing", Performance(np.zeros(0, NOTE)))])

    def work(*_: object) -> None:
        raise AssertionError("the work has begun")

    monkeypatch.setattr(continue_files, "draw_pieces", work)
    with pytest.raises(PianodError, match=says) as fault:
        run_continue(PLAIN, request(tmp_path, **wishes))
    assert str(fault.value)


def test_by_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "configure_logs", lambda _: None)
    out = tmp_path / "new.mid"
    assert main(["new", "--out", str(out), "--notes", "5", "--seed", "3", "--temperature", "0.9"]) == 0
    assert out.exists()
    assert main(["continue", str(tmp_path / "none.mid"), "--out", str(out)]) == 2
    assert "none.mid: there is no such file" in capsys.readouterr().err


def test_the_embedded_model_goes_on_with_a_phrase(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from realtime.engine.find_bundle import open_bundle
    from realtime.engine.open_model import open_session

    monkeypatch.setattr(session_maker, "open_bundle", open_bundle)
    monkeypatch.setattr(session_maker, "open_session", open_session)
    made = []
    for name in ("a.mid", "b.mid"):
        run_continue(PLAIN, request(tmp_path, notes=12, out=tmp_path / name))
        made.append((tmp_path / name).read_bytes())
    assert made[0] == made[1]
    assert read_tracks(tmp_path / "a.mid")[1].performance.notes.size == 12
