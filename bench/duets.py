"""How pianod keeps to a role beside a right hand: `python -m bench.duets CACHE [BUNDLE]`.

Twenty seconds of the right hand of held-out recordings (hannds) are played to a duet. Told are, by role: pianod's keys
for each of the player's, the share of its keys within five semitones of a key that the player struck in the two seconds
before, the share struck within 150 ms of one of the player's.
"""

import argparse
from pathlib import Path

import numpy as np

from inference.bundle import Bundle
from inference.onnx_session import OnnxSession
from inference.rolling_context import RollingContext
from piano.events import NoteOff, NoteOn
from piano.notes import NoteArray
from piano.sampling.sampler import SamplingSettings
from piano.tokens.vocabulary import VOCABULARY
from realtime.engine.from_settings import DUET_RESTRAINT
from realtime.engine.offline_run import OfflineRun
from realtime.engine.open_model import EMBEDDED_FOLDER
from realtime.engine.partner import PartnerSettings
from realtime.midi.message import bytes_of
from realtime.midi.performance_messages import TimedMessage
from realtime.performers.partner_ear import DuetRole
from realtime.performers.play_settings import AnswerSettings, DuetSettings, Mode, PlayLimits, PlaySettings
from realtime.threads.clock import NS_PER_S
from train.corpus.note_cache import NoteCache

LENGTH_S = 20.0
SAMPLING = SamplingSettings(repetition_guard=0.5)
ROLES: tuple[DuetRole | None, ...] = (None, *DuetRole)


def messages_of(notes: NoteArray) -> list[TimedMessage]:
    """Return notes as a player's messages."""
    sent = []
    for note in notes:
        on_s, off_s = float(note["onset_s"]), float(note["onset_s"] + max(note["duration_s"], 0.03))
        sent.append((round(on_s * NS_PER_S), bytes_of(NoteOn(int(note["pitch"]), int(note["velocity"])))))
        sent.append((round(off_s * NS_PER_S), bytes_of(NoteOff(int(note["pitch"])))))
    return sorted(sent)


def play(bundle: Bundle, notes: NoteArray, role: DuetRole | None, seed: int) -> list[tuple[float, int]]:
    """Return what the duet strikes beside notes: moments in seconds, and pitches."""
    session = OnnxSession(bundle)
    duet = DuetSettings(PlayLimits(SAMPLING, seed, restraint=DUET_RESTRAINT, role=role))
    settings = PlaySettings(AnswerSettings(), (VOCABULARY.bos, VOCABULARY.task("duet")), Mode.DUET, duet)
    run = OfflineRun(RollingContext(session, session.twin()), PartnerSettings(settings))
    run.play(messages_of(notes))
    run.run_until(round((float(notes["onset_s"].max()) + 0.5) * NS_PER_S))
    run.finish()
    return [(timed.at_ns / NS_PER_S, timed.event.pitch) for timed in run.answered() if isinstance(timed.event, NoteOn)]


def judge(notes: NoteArray, own: list[tuple[float, int]]) -> tuple[int, int, int, int]:
    """Return the keys of the player, our keys, those near the hands, those near in time."""
    onsets, pitches = notes["onset_s"], notes["pitch"].astype(np.int64)
    near_hands = near_time = 0
    for at_s, pitch in own:
        recent = pitches[(onsets > at_s - 2) & (onsets <= at_s)]
        near_hands += bool(recent.size and (np.abs(recent - pitch) <= 5).any())
        near_time += bool((np.abs(onsets - at_s) <= 0.15).any())
    return notes.size, len(own), near_hands, near_time


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cache", type=Path)
    parser.add_argument("bundle", type=Path, nargs="?", default=EMBEDDED_FOLDER)
    parser.add_argument("--pieces", type=int, default=20)
    options = parser.parse_args()
    bundle, cache = Bundle.load(options.bundle), NoteCache.load(options.cache)
    pieces = cache.select("validation", {"hannds"})
    chosen = [pieces[index] for index in np.linspace(0, len(pieces) - 1, options.pieces).astype(int)]
    print("| role | keys for each of the player's | near the hands | within 150 ms |\n|---|---|---|---|", flush=True)
    for role in ROLES:
        found = []
        for number, piece in enumerate(chosen):
            notes = cache.performance(piece).notes
            right = max(range(2), key=lambda track: float(notes["pitch"][notes["track"] == track].mean()))
            notes = notes[notes["track"] == right]
            notes["onset_s"] += 1 - notes["onset_s"].min()
            notes = notes[notes["onset_s"] < 1 + LENGTH_S]
            found.append(judge(notes, play(bundle, notes, role, number)))
        heard, own, hands, time = map(sum, zip(*found, strict=True))
        shares = f"{own / heard:.2f} | {hands / max(own, 1):.2f} | {time / max(own, 1):.2f}"
        print(f"| {role or 'free'} | {shares} |", flush=True)


if __name__ == "__main__":
    main()
