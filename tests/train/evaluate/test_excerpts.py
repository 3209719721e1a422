"""Excerpts: the same seed draws the same, their time begins with them, and what is in them was played."""

from pathlib import Path

import numpy as np
import pytest

from piano.errors import CorpusError
from piano.midi.file import MidiTrack, write_performance
from piano.notes import PEDAL, Performance
from tests.train.conftest import random_performance, scale
from train.corpus.note_cache import NoteCache, Piece
from train.evaluate.excerpts import FEWEST_NOTES, ExcerptPlan, cut, draw_excerpts, excerpts_of_folder

PLAN = ExcerptPlan(5, 6.0, seed=3)


def test_the_same_seed_draws_the_same(scales: NoteCache) -> None:
    pieces = scales.select("test")
    first, second = (list(draw_excerpts(scales, pieces, PLAN)) for _ in range(2))
    other = list(draw_excerpts(scales, pieces, ExcerptPlan(5, 6.0, seed=4)))
    assert [one.name for one in first] == [two.name for two in second]
    assert all(
        np.array_equal(one.performance.notes, two.performance.notes) for one, two in zip(first, second, strict=True)
    )
    assert any(one.name != two.name for one, two in zip(first, other, strict=True))


def test_every_piece_comes_before_one_comes_again(scales: NoteCache) -> None:
    pieces = scales.select("test")
    names = [excerpt.name.rsplit("#", 1)[0] for excerpt in draw_excerpts(scales, pieces, ExcerptPlan(4, 6.0, 0))]
    assert sorted(names) == sorted(scales.pieces[piece].file for piece in pieces)


def test_an_excerpt_begins_with_a_note_and_ends_in_time(scales: NoteCache) -> None:
    for excerpt in draw_excerpts(scales, scales.select("train"), PLAN):
        onset_s = excerpt.performance.notes["onset_s"]
        assert onset_s.size >= FEWEST_NOTES
        assert onset_s[0] == 0.0
        assert onset_s[-1] < 6.0


def test_whole_pieces(scales: NoteCache) -> None:
    piece = scales.select("test")[:1]
    (excerpt,) = draw_excerpts(scales, piece, ExcerptPlan(1, None, 0))
    np.testing.assert_array_equal(excerpt.performance.notes, scales.performance(piece[0]).notes)


def test_a_pedal_that_is_down_goes_down_first() -> None:
    notes = random_performance(1, 60).notes
    pedals = np.array([(0.5, True), (4.0, False), (5.0, True), (9.0, False)], PEDAL)
    right = np.arange(60) % 2 == 0
    excerpt = cut(Performance(notes, pedals), 2.0, 8.0, right, "a")
    np.testing.assert_allclose(excerpt.performance.pedals["time_s"], [0.0, 2.0, 3.0])
    assert excerpt.performance.pedals["down"].tolist() == [True, False, True]
    inside = (notes["onset_s"] >= 2) & (notes["onset_s"] < 8)
    assert excerpt.right is not None
    np.testing.assert_array_equal(excerpt.right, right[inside])
    np.testing.assert_array_equal(excerpt.performance.notes["pitch"], notes["pitch"][inside])


def test_a_task_is_posed_the_same_for_the_same_seed(scales: NoteCache) -> None:
    excerpt = next(draw_excerpts(scales, scales.select("test"), PLAN))
    first, second, other = (excerpt.pose("denoise_velocity", seed).as_heard.notes["velocity"] for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, other)


def test_hands_that_are_known_are_kept() -> None:
    performance = scale(60, 80)
    performance.notes["track"] = np.arange(80) % 2
    cache = NoteCache.build([(Piece("hannds", "a.mid", "test", tracks=("right", "left")), performance)])
    (excerpt,) = draw_excerpts(cache, [0], ExcerptPlan(1, 5.0, 0))
    exercise = excerpt.pose("right_hand", 0)
    np.testing.assert_array_equal(exercise.roles == 0, excerpt.performance.notes["track"] == 0)


def test_a_folder_of_files(tmp_path: Path) -> None:
    for number in range(2):
        (tmp_path / str(number)).mkdir()
        write_performance(tmp_path / str(number) / "a.mid", [MidiTrack("piano", scale(60 + number, 100))])
    (tmp_path / "broken.mid").write_bytes(b"MThd")
    excerpts = list(excerpts_of_folder(tmp_path, ExcerptPlan(3, 6.0, 0)))
    assert {excerpt.name.split("#")[0] for excerpt in excerpts} == {"0/a.mid", "1/a.mid"}


def test_a_folder_without_music_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="no MIDI files"):
        list(excerpts_of_folder(tmp_path, PLAN))
