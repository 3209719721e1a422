"""Windows of many tasks: shares, fit, seeds, hands, scores, and the way from plain music to tasks."""

import json
import tomllib
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from piano.events import Role
from piano.notes import NOTE, Performance, sort_notes
from piano.tasks.repair_tasks import VELOCITY_TASKS
from piano.tasks.task_stream import Part, PreviewSize
from piano.tokens.vocabulary import FILL_TASKS, REPAIR_TASKS, TASKS, VOCABULARY, Kind
from train.corpus.note_cache import NoteCache, Piece
from train.dataset.mixture import Draw, Mixture, PieceCut, stream_of, true_right_hand
from train.dataset.windows import IGNORED, WindowDataset, WindowPlan
from train.fit.task_scores import TaskScores
from train.model.gpt2 import GPT2
from train.model.warm_start import knows_plain_music_alone, open_to_tasks
from train.recipe import Augmentation, Recipe, Tasks

EVERYTHING = Tasks(weights={"continue": 0.4, "duet": 0.1, "fill": 0.3, "repair": 0.2})


def two_hands(seed: int, notes: int = 300) -> Performance:
    """Return music whose hands are its tracks, the right one on track 1."""
    rng = np.random.default_rng(seed)
    made = np.zeros(notes, NOTE)
    made["onset_s"] = np.cumsum(rng.choice([0.0, 0.12, 0.25], notes))
    made["track"] = 1 + np.arange(notes) % 2
    made["pitch"] = np.where(made["track"] == 1, 60, 30) + (np.arange(notes) // 2 * 7) % 29
    made["duration_s"], made["velocity"] = 0.1, rng.integers(20, 110, notes)
    return Performance(sort_notes(made))


@pytest.fixture(scope="module")
def duets() -> NoteCache:
    """Return a corpus of pieces for two hands."""
    tracks = ("tempo", "Rechts 11", "Links 11")
    return NoteCache.build(
        (Piece("hannds", f"{seed}.mid", "train", tracks=tracks), two_hands(seed)) for seed in range(3)
    )


def windows(cache: NoteCache, mixture: Mixture | None, *, length: int = 256, seed: int = 1) -> WindowDataset:
    augmentation = Augmentation(transpose_semitones=2, tempo=0.1, dynamics=0.1)
    plan = WindowPlan(length, 256, augmentation, seed, mixture)
    return WindowDataset(cache, list(range(len(cache))), [1.0] * len(cache), plan, 100)


def test_a_group_shares_its_weight_among_those_not_named() -> None:
    shares = EVERYTHING.shares()
    assert sum(shares.values()) == pytest.approx(1)
    assert set(shares) == set(TASKS)
    assert shares["duet"] == pytest.approx(0.1)
    assert shares["gap"] == pytest.approx(0.3 / (len(FILL_TASKS) - 1))
    assert shares["velocity"] == pytest.approx(0.2 / len(REPAIR_TASKS))
    assert Tasks().shares() == {"continue": 1.0}


@pytest.mark.parametrize(
    ("weights", "message"),
    [({"sing": 1.0}, "no task sing.*fill.*duet"), ({"duet": 0.0}, "above 0.*duet"), ({}, "at least 1")],
)
def test_impossible_weights_are_refused(weights: dict[str, float], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Tasks(weights=weights)


def test_tasks_come_as_often_as_their_weights_say() -> None:
    mixture = Mixture.of(EVERYTHING)
    assert mixture is not None
    rng = np.random.default_rng(0)
    draws = [mixture.draw(rng) for _ in range(4000)]
    count = Counter(draw.task for draw in draws)
    assert count["continue"] / 4000 == pytest.approx(0.4, abs=0.03)
    assert set(count) == set(TASKS)
    assert sum(draw.size is not None for draw in draws) / 4000 == pytest.approx(0.7, abs=0.03)


@pytest.mark.parametrize("length", [64, 256])
def test_windows_of_all_tasks_fit_and_repeat(duets: NoteCache, length: int) -> None:
    mixture = Mixture.of(EVERYTHING)
    one, other = (windows(duets, mixture, length=length) for _ in range(2))
    for index in range(60):
        tokens, targets, positions = one[index]
        assert tokens.shape == targets.shape == positions.shape == (length,)
        assert tokens[0] == VOCABULARY.bos
        assert VOCABULARY.kinds[tokens[1]] == Kind.TASK
        assert all(torch.equal(a, b) for a, b in zip(one[index], other[index], strict=True))
        kept = targets != IGNORED
        differ = targets[:-1][kept[:-1]] != tokens[1:][kept[:-1]]
        asks_velocities = int(tokens[1]) in {VOCABULARY.task(task) for task in VELOCITY_TASKS}
        assert asks_velocities or not differ.any()
        assert (VOCABULARY.kinds[targets[:-1][kept[:-1]][differ]] == Kind.VELOCITY).all()
        inside = (tokens == VOCABULARY.preview).cumsum(0) > (tokens == VOCABULARY.play).cumsum(0)
        assert (targets[inside] == IGNORED).all()


def test_without_tasks_every_window_is_plain_music(duets: NoteCache) -> None:
    for index in range(10):
        tokens, targets, _ = windows(duets, Mixture.of(Tasks()))[index]
        assert tokens[1] == VOCABULARY.task("continue")
        assert not (tokens == VOCABULARY.preview).any()
        assert (VOCABULARY.roles[tokens] == Role.OWN).all()
        assert (targets != IGNORED).sum() >= 240


def test_a_piece_that_ends_says_so(duets: NoteCache) -> None:
    part = PieceCut(duets.pieces[0], Performance(two_hands(0).notes[:20]), 0.0, True, ())
    for task in TASKS:
        stream = stream_of(part, Draw(task, PreviewSize()), np.random.default_rng(0), 4000)
        assert stream.tokens[-1] == VOCABULARY.end
        assert stream.parts[-1] == Part.KNOWN


def test_a_task_that_finds_nothing_to_ask_is_plain_music(duets: NoteCache) -> None:
    single = two_hands(0, 12).notes.copy()
    single["onset_s"] = np.arange(12.0)
    part = PieceCut(duets.pieces[0], Performance(single), 0.0, False, ())
    stream = stream_of(part, Draw("chord_rest", PreviewSize()), np.random.default_rng(0), 4000)
    assert stream.tokens[1] == VOCABULARY.task("continue")


def test_the_names_of_tracks_tell_the_hands(duets: NoteCache) -> None:
    performance = duets.performance(0)
    right = true_right_hand(duets.pieces[0], performance)
    assert right is not None
    assert np.array_equal(right, performance.notes["track"] == 1)
    assert true_right_hand(Piece("pop909", "1.mid", "train", tracks=("MELODY", "BRIDGE", "PIANO")), performance) is None
    assert true_right_hand(Piece("hannds", "1.mid", "train", tracks=("Rechts", "Links")), performance) is None


def test_scores_count_what_is_asked_alone(duets: NoteCache) -> None:
    scores = TaskScores(windows(duets, None), ["continue", "top_line_1", "velocity"], 2)
    assert set(scores.batches) == {"continue", "top_line_1", "velocity", "velocity_live"}
    for name, (tokens, targets, _) in scores.batches.items():
        assert tokens.shape == targets.shape == (2, 256)
        asked = targets[targets != IGNORED]
        assert (VOCABULARY.roles[asked] == Role.OWN).all()
        if name.startswith("velocity"):
            assert (VOCABULARY.kinds[asked] == Kind.VELOCITY).all()
    one_nat_each = scores.bits_per_note(lambda _, targets, __: (targets != IGNORED).sum().float())
    assert one_nat_each["velocity"] == pytest.approx(1 / np.log(2))
    assert one_nat_each["continue"] > 4
    assert scores.bits_per_note(lambda _, targets, __: (targets != IGNORED).sum().float()) == one_nat_each


def test_opened_to_tasks_a_model_takes_given_for_own(tiny_model: GPT2) -> None:
    tokens = torch.tensor(
        [[VOCABULARY.bos, VOCABULARY.task("continue"), VOCABULARY.on(Role.OWN, 60), VOCABULARY.velocity(64)]]
    )
    before = tiny_model(tokens)
    open_to_tasks(tiny_model)
    given = tokens.clone()
    given[0, 1], given[0, 2] = VOCABULARY.task("duet"), VOCABULARY.on(Role.GIVEN, 60)
    after = tiny_model(given)
    same = torch.from_numpy(
        (VOCABULARY.kinds != Kind.TASK) & ((VOCABULARY.roles == Role.OWN) | (VOCABULARY.kinds == Kind.TIME))
    )
    assert torch.equal(before[..., same], after[..., same])
    pressed = after[0, -1, VOCABULARY.on(Role.GIVEN, 72)]
    assert torch.equal(pressed, after[0, -1, VOCABULARY.on(Role.OWN, 72)])


def test_a_checkpoint_tells_whether_it_knows_tasks(make_recipe: Callable[..., Recipe]) -> None:
    plain, mixed = make_recipe(), make_recipe(tasks={"weights": {"continue": 1.0, "duet": 1.0}})
    assert knows_plain_music_alone({})
    assert knows_plain_music_alone({"recipe": json.loads(plain.model_dump_json())})
    assert not knows_plain_music_alone({"recipe": json.loads(mixed.model_dump_json())})


def test_the_recipe_of_tasks_is_valid() -> None:
    root = Path(__file__).parents[3]
    recipe = Recipe.model_validate({"name": "x", **tomllib.loads((root / "configs/pocket-tasks.toml").read_text())})
    plain = Recipe.model_validate({"name": "x", **tomllib.loads((root / "configs/pocket.toml").read_text())})
    assert recipe.model == plain.model
    assert set(recipe.tasks.shares()) == set(TASKS)
