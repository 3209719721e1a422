"""How far answers keep to the changes, by strength: `python -m bench.changes CACHE [BUNDLE]`.

The first ten seconds of validation pieces are played to pianod, which answers for twenty seconds over a blues at 100
beats a minute, as live. Told is the share of its keys that are chord tones, and that are in the chord's scale.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np

from inference.bundle import Bundle
from inference.onnx_session import OnnxSession
from inference.rolling_context import RollingContext
from piano.changes import read_chart, scale_tones
from piano.cues import tones
from piano.events import NoteOff, NoteOn
from piano.notes import NoteArray
from piano.sampling.sampler import SamplingSettings
from piano.tokens.vocabulary import VOCABULARY
from realtime.beat.chords import ChartChords
from realtime.engine.find_bundle import EMBEDDED_FOLDER
from realtime.engine.offline_run import OfflineRun
from realtime.engine.partner import PartnerSettings
from realtime.midi.message import bytes_of
from realtime.midi.performance_messages import TimedMessage
from realtime.performers.play_settings import AnswerSettings, PlaySettings
from realtime.threads.clock import NS_PER_S
from train.corpus.note_cache import NoteCache

PHRASE_S, ANSWER_S = 10.0, 20.0
KEYS = ("C", "F", "Bb", "Eb", "G", "D", "A", "Ab")
SAMPLING = SamplingSettings(repetition_guard=0.5, pace_guard=0.5)


def phrase_of(notes: NoteArray) -> list[TimedMessage]:
    """Return the beginning of a piece as a player's messages, all keys up at its end."""
    start_s = float(notes["onset_s"].min())
    messages = []
    for note in notes[notes["onset_s"] < start_s + PHRASE_S]:
        on_s = float(note["onset_s"]) - start_s + 1
        off_s = min(on_s + max(float(note["duration_s"]), 0.03), PHRASE_S + 1.5)
        messages.append((on_s, bytes_of(NoteOn(int(note["pitch"]), int(note["velocity"])))))
        messages.append((off_s, bytes_of(NoteOff(int(note["pitch"])))))
    return [(round(at_s * NS_PER_S), data) for at_s, data in sorted(messages)]


def shares(bundle: Bundle, phrase: list[TimedMessage], key: str, strength: float, seed: int) -> tuple[int, int, int]:
    """Return how many keys an answer has, how many are chord tones, and how many in the scale."""
    session = OnnxSession(bundle)
    chart = read_chart("blues", key)
    playing = PlaySettings(
        AnswerSettings(pause=None, seed=seed, sampling=SAMPLING), (VOCABULARY.bos, VOCABULARY.task("continue"))
    )
    playing = replace(playing, chart=chart, harmony=strength)
    run = OfflineRun(RollingContext(session, session.twin()), PartnerSettings(playing))
    beats = run.partner.beats
    beats.is_heard = True
    beats.set(100.0, 4, 0, origin_ns=NS_PER_S)
    run.play(phrase)
    from_ns = phrase[-1][0] + NS_PER_S // 10
    run.run_until(from_ns)
    run.hand_over()
    run.run_until(from_ns + round(ANSWER_S * NS_PER_S))
    run.finish()
    chords = ChartChords(beats, chart)
    keys = [
        (timed.event.pitch % 12, chords.chord_at(timed.at_ns))
        for timed in run.answered()
        if isinstance(timed.event, NoteOn) and timed.at_ns >= from_ns
    ]
    return (
        len(keys),
        sum(pitch in tones(chord) for pitch, chord in keys),
        sum(pitch in scale_tones(chord) for pitch, chord in keys),
    )


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cache", type=Path)
    parser.add_argument("bundle", type=Path, nargs="?", default=EMBEDDED_FOLDER)
    parser.add_argument("--pieces", type=int, default=8)
    options = parser.parse_args()
    bundle, cache = Bundle.load(options.bundle), NoteCache.load(options.cache)
    pieces = cache.select("validation")
    chosen = [pieces[index] for index in np.linspace(0, len(pieces) - 1, options.pieces).astype(int)]
    print("| harmony | keys | chord tones | in the scale |\n|---|---|---|---|", flush=True)
    for strength in (0.0, 0.5, 1.0):
        found = [
            shares(bundle, phrase_of(cache.performance(piece).notes), KEYS[number % len(KEYS)], strength, number)
            for number, piece in enumerate(chosen)
        ]
        keys, in_chord, in_scale = map(sum, zip(*found, strict=True))
        print(f"| {strength} | {keys} | {in_chord / max(keys, 1):.2f} | {in_scale / max(keys, 1):.2f} |", flush=True)


if __name__ == "__main__":
    main()
