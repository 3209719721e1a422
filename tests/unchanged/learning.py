"""What training reads and what the bundle computes, as fingerprints: windows of the mixture, logits of one stream."""

from collections.abc import Iterator

import numpy as np

from inference.onnx_session import OnnxSession
from piano.events import Role
from piano.notes import NOTE, PEDAL, Performance, sort_notes
from piano.tokens.vocabulary import VOCABULARY
from realtime.engine.find_bundle import open_bundle
from realtime.settings import Settings
from tests.unchanged.files import fingerprint
from train.corpus.note_cache import NoteCache, Piece
from train.dataset.mixture import Mixture
from train.dataset.windows import WindowDataset, WindowPlan
from train.recipe import Augmentation, Tasks

WINDOWS = 50
EVERYTHING = Tasks(weights={"continue": 0.3, "duet": 0.1, "fill": 0.3, "repair": 0.3})


def _two_hands(seed: int, notes: int = 400) -> Performance:
    """Return music whose hands are its tracks, with chords and a pedal."""
    rng = np.random.default_rng(seed)
    made = np.zeros(notes, NOTE)
    made["onset_s"] = np.cumsum(rng.choice([0.0, 0.12, 0.25, 0.5], notes))
    made["track"] = 1 + np.arange(notes) % 2
    made["pitch"] = np.where(made["track"] == 1, 60, 30) + (np.arange(notes) // 2 * 7) % 29
    made["duration_s"], made["velocity"] = rng.choice([0.1, 0.4, 1.5], notes), rng.integers(20, 110, notes)
    pedals = np.zeros(40, PEDAL)
    pedals["time_s"], pedals["down"] = np.linspace(0.5, 60, 40), np.arange(40) % 2 == 0
    return Performance(sort_notes(made), pedals)


def window_records() -> Iterator[tuple[str, str]]:
    """Yield a fingerprint for each of 50 windows of a mixture of every task, on a corpus made here."""
    tracks = ("tempo", "Rechts 11", "Links 11")
    cache = NoteCache.build(
        (Piece("hannds", f"{seed}.mid", "train", tracks=tracks), _two_hands(seed)) for seed in range(3)
    )
    plan = WindowPlan(
        512, 1024, Augmentation(transpose_semitones=2, tempo=0.1, dynamics=0.1), 1, Mixture.of(EVERYTHING)
    )
    windows = WindowDataset(cache, [0, 1, 2], [1.0, 1.0, 0.5], plan, WINDOWS)
    for index in range(WINDOWS):
        yield (
            f"window/{index:02}",
            fingerprint(b"".join(column.numpy().astype("<i8").tobytes() for column in windows[index])),
        )


def logit_records() -> Iterator[tuple[str, str]]:
    """Yield fingerprints of the embedded bundle's logits: singly, after a rollback, and in one call."""
    session = OnnxSession(open_bundle(Settings(panel=False)), threads=1)
    tokens = [VOCABULARY.bos, VOCABULARY.task("continue")]
    for step in range(40):
        tokens += [VOCABULARY.on(Role.OWN, 48 + step % 30), VOCABULARY.velocity(40 + step)]
    singly = [session.feed([token]).copy() for token in tokens]
    yield "logits/singly", fingerprint(np.concatenate(singly).astype("<f4").tobytes())
    session.rollback(10)
    yield "logits/rolled-back", fingerprint(session.feed(tokens[10:12]).astype("<f4").tobytes())
    session.reset()
    yield "logits/at-once", fingerprint(session.feed(tokens).astype("<f4").tobytes())
