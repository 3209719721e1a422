"""When a phrase is over: by the pause alone, and by what the model expects: `python -m bench.phrase_ends`.

In recordings nobody says where phrases end, so the long rests stand for them: silences, no key held, at least as long
as the longest pause. A shorter silence in which a rule would have answered is a false start. Told are, for the pause
rule and for the pause with the model's word, the false starts for each true end, and how long after the last key a true
end was answered. Each rule is tried with pauses that are longer and shorter by a factor, so that they can be compared
at as many false starts. `--json` keeps what was found, and reads it again where it is there.
"""

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from piano.events import NoteOn, Pedal
from piano.notes import NoteArray, Performance
from piano.solve.expectation import survival
from piano.tokens.encoding import encode
from piano.tokens.stream import StreamDecoder
from piano.whole_file import write_report
from realtime.performers.phrase_detector import PhraseDetector, with_expectation
from realtime.performers.play_settings import PauseSettings
from train.corpus.note_cache import NoteCache
from train.predictors.scoring import HEAD
from train.predictors.torch_predictor import TorchPredictor

Floats = NDArray[np.float64]

PAUSES = PauseSettings()
FACTORS = (0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.35, 1.5)
SHORTEST_S = 0.3
"""Silences that are shorter are in no rule's way."""

WITHOUT = ("pop909",)
"""Not played by a pianist in one go, or one hand alone."""

_TOKENS = 600
_FEWEST, _LONGEST_S = 40, 6.0


@dataclass(frozen=True, slots=True)
class Silence:
    """A silence in a performance: how long, how long the pause rule waits, and what the model expects in it."""

    length_s: float
    pause_s: float
    survival: tuple[float, ...]
    """The model's probability that nothing happens within each tenth of a second, of the first, as it begins."""


def silences(predictor: TorchPredictor, cache: NoteCache, piece: int, rng: np.random.Generator) -> Iterator[Silence]:
    """Yield the silences of a window of a piece that ends with a long rest, drawn from those that it has."""
    music = cache.performance(piece)
    rests = long_rests(music.notes)
    if not rests.size:
        return
    until_s = float(rng.choice(rests)) + 1e-6
    heard = Performance(music.notes[music.notes["onset_s"] <= until_s], music.pedals[music.pedals["time_s"] <= until_s])
    window = np.concatenate([HEAD, encode(heard)[-_TOKENS:]]).astype(np.int64)
    decoder, phrase = StreamDecoder(0), PhraseDetector(PAUSES)
    last: tuple[int, int] | None = None  # moment and place of the last key's event
    found: list[tuple[int, float, float]] = []
    for place, token in enumerate(window.tolist()):
        timed = decoder.push(token)
        if timed is None or isinstance(timed.event, Pedal):
            continue
        if last is not None and isinstance(timed.event, NoteOn) and not phrase.held and phrase.start_ns is not None:
            gap_s = (timed.at_ns - last[0]) / 1e9
            if gap_s >= SHORTEST_S:
                found.append((last[1], gap_s, phrase.pause_ns() / 1e9))
                if gap_s >= PAUSES.longest_ns / 1e9:
                    phrase.answered()
        phrase.hear(timed)
        last = timed.at_ns, place
    if found:
        rows = np.array([place for place, _, _ in found])
        for (_, gap_s, pause_s), row in zip(found, predictor.logits(window[None], rows), strict=True):
            yield Silence(gap_s, pause_s, tuple(round(float(share), 5) for share in survival(row)))


def long_rests(notes: NoteArray) -> Floats:
    """Return the onsets, in seconds, before which no key was down for a long time, though something was played."""
    notes = notes[np.argsort(notes["onset_s"], kind="stable")]
    ends = np.maximum.accumulate(notes["onset_s"] + notes["duration_s"])
    rests = notes["onset_s"][1:] - ends[:-1]
    is_long = (rests >= PAUSES.longest_ns / 1e9) & (rests < _LONGEST_S) & (np.arange(1, notes.size) >= _FEWEST)
    return np.asarray(notes["onset_s"][1:][is_long], np.float64)


def table(found: list[Silence]) -> str:
    """Return the rules as rows: false starts for each true end and the delay, by factor."""
    ends = [silence for silence in found if silence.length_s >= PAUSES.longest_ns / 1e9]
    others = [silence for silence in found if silence.length_s < PAUSES.longest_ns / 1e9]
    lines = [
        f"{len(ends)} true ends, {len(others)} shorter silences",
        "| pauses by | pause rule | | with the model | |",
    ]
    lines += ["|---|---|---|---|---|", "| | false starts for each end | delay, s | false starts | delay, s |"]
    for factor in FACTORS:
        cells = []
        for with_model in (False, True):
            waits = [_wait_s(silence, factor, with_model=with_model) for silence in others]
            false = sum(silence.length_s > wait for silence, wait in zip(others, waits, strict=True))
            delay = float(np.mean([_wait_s(silence, factor, with_model=with_model) for silence in ends]))
            cells += [f"{false / max(len(ends), 1):.2f}", f"{delay:.2f}"]
        lines.append(f"| {factor} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _wait_s(silence: Silence, factor: float, *, with_model: bool) -> float:
    pause_ns = round(silence.pause_s * 1e9)
    if with_model:
        pause_ns = with_expectation(pause_ns, silence.survival, PAUSES)
    return min(factor * pause_ns / 1e9, PAUSES.longest_ns / 1e9)


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("cache", type=Path)
    parser.add_argument("--split", default="validation")
    parser.add_argument("--pieces", type=int, default=24)
    parser.add_argument("--json", type=Path, help="keep what was found, and read it again where it is there")
    options = parser.parse_args()
    if options.json is not None and options.json.exists():
        found = [Silence(a, b, tuple(c)) for a, b, c in json.loads(options.json.read_text())]
    else:
        predictor, cache = TorchPredictor.load(options.checkpoint), NoteCache.load(options.cache)
        pieces = [piece for piece in cache.select(options.split) if cache.pieces[piece].dataset not in WITHOUT]
        rng = np.random.default_rng(5)
        rng.shuffle(pieces)
        found, ends = [], 0
        for piece in pieces:
            of_piece = list(silences(predictor, cache, piece, rng))
            found += of_piece
            ends += bool(of_piece)
            if ends == options.pieces:
                break
        if options.json is not None:
            rows = [[each.length_s, each.pause_s, each.survival] for each in found]
            write_report(options.json, json.dumps(rows) + "\n")
    print(table(found))


if __name__ == "__main__":
    main()
