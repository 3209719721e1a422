"""How pianod keeps to a role beside a right hand: `python -m bench.duets CACHE [BUNDLE]`.

Some seconds of the right hand of held-out recordings (hannds), each from another place, are played to a duet. Told are,
by role: pianod's keys for each of the player's, the share of its keys within five semitones of a key that the player
struck in the two seconds before, the share within the player's register in these, the share in the major scale that
fits both hands of the recording best, the share struck within 150 ms of one of the player's; first the same of the left
hand that belongs to it.
"""

import argparse
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference.bundle import Bundle
from inference.onnx_session import OnnxSession
from inference.rolling_context import RollingContext
from piano.events import NoteOff, NoteOn
from piano.notes import NoteArray
from piano.sampling.sampler import SamplingSettings
from piano.tokens.vocabulary import VOCABULARY
from realtime.engine.find_bundle import EMBEDDED_FOLDER
from realtime.engine.from_settings import DUET_RESTRAINT
from realtime.engine.offline_run import OfflineRun
from realtime.engine.partner import PartnerSettings
from realtime.midi.message import bytes_of
from realtime.midi.performance_messages import TimedMessage
from realtime.performers.partner_ear import DuetRole
from realtime.performers.play_settings import AnswerSettings, DuetSettings, Mode, PlayLimits, PlaySettings
from realtime.threads.clock import NS_PER_S
from train.corpus.note_cache import NoteCache

_FEWEST = 12
SAMPLING = SamplingSettings(repetition_guard=0.5)
ROLES: tuple[DuetRole | None, ...] = (None, *DuetRole)


def duet_messages(notes: NoteArray) -> list[TimedMessage]:
    """Return notes as a player's messages."""
    sent = []
    for note in notes:
        on_s, off_s = float(note["onset_s"]), float(note["onset_s"] + max(note["duration_s"], 0.03))
        sent.append((round(on_s * NS_PER_S), bytes_of(NoteOn(int(note["pitch"]), int(note["velocity"])))))
        sent.append((round(off_s * NS_PER_S), bytes_of(NoteOff(int(note["pitch"])))))
    return sorted(sent)


def play_duet(bundle: Bundle, notes: NoteArray, role: DuetRole | None, seed: int) -> list[tuple[float, int]]:
    """Return what the duet strikes beside notes: moments in seconds, and pitches."""
    session = OnnxSession(bundle)
    duet = DuetSettings(PlayLimits(SAMPLING, seed, restraint=DUET_RESTRAINT, role=role))
    settings = PlaySettings(AnswerSettings(), (VOCABULARY.bos, VOCABULARY.task("duet")), Mode.DUET, duet)
    run = OfflineRun(RollingContext(session, session.twin()), PartnerSettings(settings))
    run.play(duet_messages(notes))
    run.run_until(round((float(notes["onset_s"].max()) + 0.5) * NS_PER_S))
    run.finish()
    return [(timed.at_ns / NS_PER_S, timed.event.pitch) for timed in run.answered() if isinstance(timed.event, NoteOn)]


def judge_duet(notes: NoteArray, own: list[tuple[float, int]], key: frozenset[int]) -> NDArray[np.int64]:
    """Return the keys of the player, ours, those near the hands, in their register, in key, near in time."""
    onsets, pitches = notes["onset_s"], notes["pitch"].astype(np.int64)
    found = np.array([notes.size, 0, 0, 0, 0, 0])
    for at_s, pitch in own:
        recent = pitches[(onsets > at_s - 2) & (onsets <= at_s)]
        near_hands = bool(recent.size and (np.abs(recent - pitch) <= 5).any())
        in_register = bool(recent.size and recent.min() <= pitch <= recent.max())
        near_time = bool((np.abs(onsets - at_s) <= 0.15).any())
        found += (0, 1, near_hands, in_register, pitch % 12 in key, near_time)
    return found


def key_of(notes: NoteArray) -> frozenset[int]:
    """Return the pitch classes of the major scale that most notes belong to."""
    counts = np.bincount(notes["pitch"] % 12, minlength=12)
    scales = [frozenset((tonic + step) % 12 for step in (0, 2, 4, 5, 7, 9, 11)) for tonic in range(12)]
    return max(scales, key=lambda scale: int(counts[list(scale)].sum()))


def hands_of(cache: NoteCache, piece: int, number: int, seconds: float) -> tuple[NoteArray, NoteArray]:
    """Return some seconds of a piece, from a second on, of its right hand and of its left."""
    notes = cache.performance(piece).notes
    right = max(range(2), key=lambda track: float(notes["pitch"][notes["track"] == track].mean()))
    onsets = notes["onset_s"][notes["track"] == right]
    rng = np.random.default_rng([number, piece])
    start_s = float(rng.uniform(onsets.min(), max(onsets.max() - seconds, onsets.min() + 0.001)))
    notes = notes[(notes["onset_s"] >= start_s) & (notes["onset_s"] < start_s + seconds)]
    notes["onset_s"] += 1 - start_s
    return notes[notes["track"] == right], notes[notes["track"] != right]


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cache", type=Path)
    parser.add_argument("bundle", type=Path, nargs="?", default=EMBEDDED_FOLDER)
    parser.add_argument("--excerpts", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--role", action="append", choices=[*DuetRole, "free"], help="only this one; may be repeated")
    options = parser.parse_args()
    bundle, cache = Bundle.load(options.bundle), NoteCache.load(options.cache)
    pieces = cache.select("validation", {"hannds"})
    drawn = (hands_of(cache, pieces[number % len(pieces)], number, options.seconds) for number in range(1000))
    hands = list(islice((both for both in drawn if both[0].size >= _FEWEST), options.excerpts))
    print("| role | keys for each of the player's | near the hands | in their register | in key | within 150 ms |")
    print("|---|---|---|---|---|---|", flush=True)
    keys = [key_of(np.concatenate(both)) for both in hands]
    lefts = [list(zip(left["onset_s"].tolist(), left["pitch"].tolist(), strict=True)) for _, left in hands]
    print(
        _row(
            "the left hand",
            [judge_duet(*each) for each in zip([right for right, _ in hands], lefts, keys, strict=True)],
        )
    )
    for role in ROLES:
        if options.role and (role or "free") not in options.role:
            continue
        found = [
            judge_duet(right, play_duet(bundle, right, role, number), key)
            for number, ((right, _), key) in enumerate(zip(hands, keys, strict=True))
        ]
        print(_row(role or "free", found), flush=True)


def _row(name: str, found: list[NDArray[np.int64]]) -> str:
    heard, own, *shares = np.sum(found, axis=0).tolist()
    return f"| {name} | {own / heard:.2f} | " + " | ".join(f"{share / max(own, 1):.2f}" for share in shares) + " |"


if __name__ == "__main__":
    main()
