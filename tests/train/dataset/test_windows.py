"""Windows: a pure function of their index, targets one ahead of tokens, augmentation within the piano's limits."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from piano.cue_arrays import CUE
from piano.cues import BEAT, ROOTS, chord
from piano.events import HIGHEST_PITCH, LOWEST_PITCH
from piano.notes import NOTE, Performance
from piano.tokens.encoding import decode, encode
from piano.tokens.vocabulary import VOCABULARY, Kind
from train.corpus.note_cache import NoteCache, Piece
from train.dataset.windows import IGNORED, WindowDataset, WindowPlan, augment
from train.recipe import Augmentation

MOVED = Augmentation(transpose_semitones=5, tempo=0.2, dynamics=0.2)
STILL = Augmentation()


def dataset(cache: NoteCache, *, length: int = 64, context: int = 128, seed: int = 1) -> WindowDataset:
    pieces = cache.select(split="train")
    return WindowDataset(cache, pieces, [1.0] * len(pieces), WindowPlan(length, context, MOVED, seed), 50)


def same(one: tuple[torch.Tensor, ...], other: tuple[torch.Tensor, ...]) -> bool:
    return all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


def test_a_window_is_a_pure_function_of_seed_and_index(random_notes: NoteCache) -> None:
    first, again, reseeded = dataset(random_notes), dataset(random_notes), dataset(random_notes, seed=2)
    windows = [first[index] for index in range(10)]
    assert all(same(again[index], windows[index]) for index in reversed(range(10)))
    assert not any(same(reseeded[index], windows[index]) for index in range(10))
    assert len({tuple(tokens.tolist()) for tokens, _, _ in windows}) == 10


def test_targets_are_the_tokens_one_ahead(random_notes: NoteCache) -> None:
    for index in range(50):
        tokens, targets, positions = dataset(random_notes)[index]
        scored = targets != IGNORED
        inside = scored[:-1]
        assert torch.equal(targets[:-1][inside], tokens[1:][inside])
        first = int(scored.nonzero()[0])
        assert set(VOCABULARY.kinds[tokens[1 : first + 1].numpy()].tolist()) <= {Kind.TASK, Kind.STYLE}
        assert tokens[0] == VOCABULARY.bos
        assert scored[first : int(scored.sum()) + first].all()
        assert torch.equal(positions, torch.arange(int(positions[0]), int(positions[0]) + 64))
        assert 0 <= positions[0] <= 128 - 64


def test_short_windows_lie_anywhere_in_the_context(random_notes: NoteCache) -> None:
    starts = {int(dataset(random_notes)[index][2][0]) for index in range(50)}
    assert len(starts) > 20


def test_a_piece_that_ends_in_the_window_is_ended_and_padded(random_notes: NoteCache) -> None:
    windows = [dataset(random_notes, length=1024, context=1024)[index] for index in range(5)]
    for tokens, targets, _ in windows:
        ends = (targets == VOCABULARY.end).nonzero().flatten().tolist()
        assert len(ends) == 1
        assert (targets[ends[0] + 1 :] == IGNORED).all()
        assert (tokens[ends[0] + 1 :] == VOCABULARY.pad).all()


def test_every_piece_is_drawn_by_its_notes_and_weight() -> None:
    def of(notes: int) -> Performance:
        made = np.zeros(notes, NOTE)
        made["onset_s"], made["duration_s"], made["pitch"], made["velocity"] = np.arange(notes), 0.5, 60, 64
        return Performance(made)

    cache = NoteCache.build((Piece("a", str(notes), "train"), of(notes)) for notes in (100, 300))
    drawn = WindowDataset(cache, [0, 1], [3.0, 2.0], WindowPlan(64, 64, STILL, 0), 1)
    np.testing.assert_allclose(drawn.cumulative, [1 / 3, 1.0])


@settings(max_examples=60, deadline=None)
@given(
    pitches=st.lists(st.integers(LOWEST_PITCH, HIGHEST_PITCH), min_size=1, max_size=20),
    seed=st.integers(0, 1000),
    semitones=st.integers(0, 24),
)
def test_augmentation_keeps_keys_on_the_piano(pitches: list[int], seed: int, semitones: int) -> None:
    notes = np.zeros(len(pitches), NOTE)
    notes["onset_s"], notes["duration_s"], notes["pitch"] = np.arange(len(pitches)), 0.5, pitches
    notes["velocity"] = np.linspace(1, 127, len(pitches))
    before = notes.copy()
    how = Augmentation(transpose_semitones=semitones, tempo=0.7, dynamics=0.7)
    part, stretch = augment(Performance(notes), how, np.random.default_rng(seed))
    moved = part.notes["pitch"].astype(int) - before["pitch"].astype(int)
    assert np.unique(moved).size == 1
    assert abs(moved[0]) <= semitones
    assert part.notes["pitch"].min() >= LOWEST_PITCH
    assert part.notes["pitch"].max() <= HIGHEST_PITCH
    assert part.notes["velocity"].min() >= 1
    assert part.notes["velocity"].max() <= 127
    np.testing.assert_allclose(part.notes["onset_s"], before["onset_s"] * stretch)
    np.testing.assert_array_equal(notes, before)


def test_without_augmentation_nothing_moves(random_notes: NoteCache) -> None:
    whole = random_notes.performance(1)
    part, stretch = augment(whole, STILL, np.random.default_rng(0))
    assert stretch == 1.0
    np.testing.assert_array_equal(part.notes, whole.notes)


def test_a_window_is_the_piece_from_some_note_on(random_notes: NoteCache) -> None:
    pieces = random_notes.select(split="train")
    data = WindowDataset(random_notes, pieces, [1.0] * len(pieces), WindowPlan(64, 64, STILL, 4), 1)
    for seed in range(20):
        stream = data.stream(pieces[0], np.random.default_rng(seed))
        heard = decode(stream.tokens).performance.notes["pitch"].tolist()
        whole = decode(encode(random_notes.performance(pieces[0]))).performance.notes["pitch"].tolist()
        places = [start for start in range(len(whole)) if whole[start : start + 8] == heard[:8]]
        assert places, "the first notes of a window are in the piece one after the other"


@pytest.mark.parametrize("seed", range(5))
def test_a_piece_shorter_than_the_window_is_no_fault(seed: int) -> None:
    notes = np.zeros(1, NOTE)
    notes["pitch"], notes["velocity"], notes["duration_s"] = 60, 64, 0.5
    cache = NoteCache.build([(Piece("a", "one", "train"), Performance(notes))])
    tokens, targets, _ = WindowDataset(cache, [0], [1.0], WindowPlan(64, 64, MOVED, seed), 1)[0]
    assert (VOCABULARY.kinds[targets[targets != IGNORED]] == Kind.ON).sum() == 1
    assert int((tokens == VOCABULARY.bos).sum()) == 1


def _told(beats: int = 64, *, dataset: str = "set", cues: bool = True) -> WindowDataset:
    """Return windows of a piece with a beat every half second and one chord, struck on every beat."""
    notes = np.array([(0.5 * beat, 0.4, 60, 64, 0) for beat in range(beats)], NOTE)
    told = [(0.5 * beat, BEAT) for beat in range(beats)] + [(0.0, chord(0, "maj"))]
    performance = Performance(notes, cues=np.array(sorted(told), CUE))
    cache = NoteCache.build([(Piece(dataset, "Q1_a.mid", "train"), performance)])
    plan = WindowPlan(128, 128, Augmentation(transpose_semitones=3), 1, cues=cues)
    return WindowDataset(cache, [0], [1.0], plan, 200)


def _tokens(data: WindowDataset) -> list[list[str]]:
    return [[VOCABULARY.names[token] for token in data[index][0].tolist()] for index in range(200)]


def test_a_part_of_the_windows_shows_beats_and_chords_moved_with_the_notes() -> None:
    shown = _tokens(_told())
    with_beats = [names for names in shown if "BEAT" in names]
    with_chords = [names for names in shown if any(name.startswith("CHORD_") for name in names)]
    assert 60 < len(with_beats) < 140
    assert 40 < len(with_chords) < 110
    for names in with_chords:
        pitch = next(int(name.rpartition("_")[2]) for name in names if name.startswith("ON_"))
        (told,) = {name for name in names if name.startswith("CHORD_")}
        assert told == f"CHORD_{ROOTS[pitch % 12]}:maj"


def test_without_cues_a_plan_shows_none() -> None:
    names = {name for window in _tokens(_told(cues=False)) for name in window}
    assert not any(name in ("BEAT", "ENDING") or name.startswith("CHORD_") for name in names)


def test_a_piece_comes_to_an_end_and_a_clip_does_not() -> None:
    whole, clip = _told(), _told(dataset="emopia")
    ended = [VOCABULARY.end in whole[index][1] for index in range(200)]
    assert any(is_end and "ENDING" in names for is_end, names in zip(ended, _tokens(whole), strict=True))
    clips = _tokens(clip)
    assert not any(VOCABULARY.end in clip[index][1] for index in range(200))
    assert not any("ENDING" in names or "STYLE_opening" in names for names in clips)
    assert any("STYLE_mood:happy" in names for names in clips)
