"""Answers over the changes that the pianist had: `python -m bench.own_changes CACHE FOLDER`.

Excerpts of validation pieces whose beats are annotated and whose tempo is steady are played to pianod, which goes on
for as long over the chords that truly follow, as live. The chords of POP909 are annotated, those of other pieces were
found in their notes. Told for each way are the shares of its keys that are chord tones and that are in the chord's
scale, beside the pianist's own. FOLDER gets what was played as `python -m train tell FOLDER/… --truth FOLDER/truth
--seconds 12` takes it.
"""

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference.bundle import Bundle
from inference.onnx_session import OnnxSession
from inference.rolling_context import RollingContext
from inference.session_wrapper import SessionWrapper
from piano.changes import Chart, scale_tones
from piano.cue_arrays import is_chord
from piano.cues import DOWNBEAT, NO_CHORD, cue_name, tones
from piano.events import Pedal
from piano.midi.file import MidiTrack, write_performance
from piano.notes import Performance
from piano.tokens.vocabulary import VOCABULARY
from piano.whole_file import write_report
from realtime.beat.chords import EARLY_BEATS
from realtime.engine.find_bundle import EMBEDDED_FOLDER
from realtime.engine.offline_run import OfflineRun
from realtime.engine.open_model import sampling_of
from realtime.engine.partner import PartnerSettings
from realtime.midi.message import bytes_of
from realtime.midi.performance_messages import TimedMessage, messages_of
from realtime.performers.play_settings import AnswerSettings, PlaySettings
from realtime.settings import Settings
from realtime.threads.clock import NS_PER_S
from train.corpus.note_cache import NoteCache
from train.evaluate.excerpts import cut
from train.sampling_study.primers import CONTINUATION, PIECES_NAME, primer_works

SECONDS = 12.0
STEADY_S = 0.2
"""Beats of which none lies farther than this from a line are a steady tempo."""

_FEWEST = 16
"""Notes before, and after."""

WAYS = {
    "told": (True, 0.0),
    "told-leaned-0.5": (True, 0.5),
    "not": (False, 0.0),
    "leaned-0.5": (False, 0.5),
    "told-leaned-1": (True, 1.0),
    "leaned-1": (False, 1.0),
}
"""What the model is guided by: whether beats and chords are told it, and how strongly its keys lean to the chords."""


class Untold(SessionWrapper):
    """A session that does not say that it knows cues, so that none is told."""

    @property
    def knows_cues(self) -> bool:
        return False


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Music in seconds from its own beginning; its beats lie on a line, and its chart begins with beat 0."""

    work: str
    before: Performance
    after: Performance
    first_beat_s: float
    period_s: float
    meter: int  # beats a bar
    chart: Chart

    def chord_at(self, at_s: float) -> int:
        """Return the code of the chord at a moment; a key just before a beat belongs to it."""
        return self.chart.chord_at(int(((at_s - self.first_beat_s) / self.period_s + EARLY_BEATS) // 1), self.meter)


def excerpts(cache: NoteCache, datasets: set[str], count: int) -> list[Excerpt]:
    """Return excerpts of as many pieces of some datasets, the same each time."""
    found: list[Excerpt] = []
    numbers = cache.select("validation", datasets)
    works = primer_works(cache, numbers)
    for number in numbers:
        excerpt = _excerpt(cache, number, works[cache.pieces[number].file])
        if excerpt is not None:
            found.append(excerpt)
        if len(found) == count:
            break
    return found


def _excerpt(cache: NoteCache, number: int, work: str) -> Excerpt | None:
    """Return the first excerpt that can be used, from bars in an order drawn for the piece."""
    cues = cache.cues(number)
    beats = np.unique(cues["time_s"][cues["code"] <= DOWNBEAT])
    downs = cues["time_s"][cues["code"] == DOWNBEAT]
    if not beats.size:
        return None
    usable = downs[(downs > 10.0) & (downs < beats[-1] - 3 * SECONDS)]
    for down_s in np.random.default_rng(number).permutation(usable):
        excerpt = _excerpt_from(cache, number, work, float(down_s) - 0.05)
        if excerpt is not None:
            return excerpt
    return None


def _excerpt_from(cache: NoteCache, number: int, work: str, start_s: float) -> Excerpt | None:
    cues, music = cache.cues(number), cache.performance(number)
    ends = (start_s, start_s + 2 * SECONDS)
    beats, downs = (
        np.unique(cues["time_s"][kind & (cues["time_s"] > ends[0]) & (cues["time_s"] < ends[1])])
        for kind in (cues["code"] <= DOWNBEAT, cues["code"] == DOWNBEAT)
    )
    meters = np.diff(np.searchsorted(beats, downs))
    if beats.size < 8 or not meters.size or meters.min() != meters.max() or meters[0] < 2:
        return None
    meter, count = int(meters[0]), np.arange(beats.size)
    period_s, first_s = np.polyfit(count, beats - start_s, 1)
    if np.abs(beats - start_s - first_s - period_s * count).max() > STEADY_S:
        return None
    chords = cues[is_chord(cues["code"])]
    places = np.searchsorted(chords["time_s"], beats + 0.1 * period_s, side="right") - 1
    codes = [int(chords["code"][place]) if place >= 0 else NO_CHORD for place in places]
    codes = [*codes, *codes[-1:] * (2 * meter - len(codes) % meter)]
    bars = tuple(tuple(codes[begin : begin + meter]) for begin in range(0, len(codes), meter))
    before = cut(music, start_s, start_s + SECONDS, None, "").performance
    after = cut(music, start_s + SECONDS, start_s + 2 * SECONDS, None, "").performance
    if min(before.notes.size, after.notes.size) < _FEWEST:
        return None
    words = tuple(" ".join(map(cue_name, bar)) for bar in bars)
    return Excerpt(work, before, after, float(first_s), float(period_s), meter, Chart(bars, words))


def play(bundle: Bundle, excerpt: Excerpt, way: tuple[bool, float], seed: int) -> Performance:
    """Return what pianod plays after an excerpt, in seconds from the excerpt's beginning."""
    is_told, strength = way
    session = OnnxSession(bundle)
    context = RollingContext(session, session.twin())
    answers = AnswerSettings(pause=None, seed=seed, sampling=sampling_of(Settings()))
    playing = PlaySettings(
        answers, (VOCABULARY.bos, VOCABULARY.task("continue")), chart=excerpt.chart, harmony=strength
    )
    run = OfflineRun(context if is_told else Untold(context), PartnerSettings(playing))
    beats = run.partner.beats
    beats.is_heard = True
    beats.set(60 / excerpt.period_s, excerpt.meter, 0, origin_ns=round((1 + excerpt.first_beat_s) * NS_PER_S))
    run.play(_all_up(excerpt.before))
    run.run_until(round((1 + SECONDS) * NS_PER_S))
    run.hand_over()
    run.run_until(round((1 + 2 * SECONDS) * NS_PER_S))
    run.finish()
    music = run.partner.take.tracks()[1].performance  # its time begins with the player's first key
    return replace_onsets(music, float(excerpt.before.notes["onset_s"].min()))


def _all_up(music: Performance) -> list[TimedMessage]:
    """Return what is played to pianod, from a second on; what is down at the end comes up there."""
    end_ns = round((1 + SECONDS) * NS_PER_S) - 1
    ups = [(end_ns, bytes_of(Pedal(down=False)))] if music.pedals.size else []
    return [(min(at_ns, end_ns), data) for at_ns, data in messages_of(music, NS_PER_S)] + ups


def shares(excerpt: Excerpt, music: Performance) -> NDArray[np.int64]:
    """Return how many keys there are, how many are chord tones, and how many in the scale."""
    found = np.zeros(3, np.int64)
    for note in music.notes:
        code, pitch = excerpt.chord_at(float(note["onset_s"])), int(note["pitch"]) % 12
        found += (1, pitch in tones(code), pitch in scale_tones(code))
    return found


def write(folder: Path, number: int, excerpt: Excerpt, music: Performance) -> None:
    """Write an excerpt and what follows it."""
    folder.mkdir(parents=True, exist_ok=True)
    tracks = [MidiTrack("primer", excerpt.before), MidiTrack(CONTINUATION, music)]
    write_performance(folder / f"{number + 1:02}.mid", tracks)


def main() -> None:
    """Measure, and print a table, a row each as it is there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cache", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("bundle", type=Path, nargs="?", default=EMBEDDED_FOLDER)
    parser.add_argument("--pieces", type=int, default=32)
    parser.add_argument("--dataset", action="append", help="of the corpus (default: pop909); may be repeated")
    parser.add_argument("--way", action="append", choices=WAYS, help="only this one; may be repeated")
    options = parser.parse_args()
    bundle = Bundle.load(options.bundle)
    chosen = excerpts(NoteCache.load(options.cache), set(options.dataset or ("pop909",)), options.pieces)
    print("| guided by | keys | chord tones | in the scale |\n|---|---|---|---|", flush=True)
    truth = [replace_onsets(excerpt.after, SECONDS) for excerpt in chosen]
    for number, (excerpt, music) in enumerate(zip(chosen, truth, strict=True)):
        write(options.folder / "truth", number, excerpt, music)
    names = {f"{number + 1:02}": excerpt.work for number, excerpt in enumerate(chosen)}
    write_report(options.folder / "truth" / PIECES_NAME, json.dumps(names, indent=2) + "\n")
    print(_row("the pianist", [shares(*both) for both in zip(chosen, truth, strict=True)]), flush=True)
    for name in options.way or WAYS:
        found = []
        for number, excerpt in enumerate(chosen):
            music = play(bundle, excerpt, WAYS[name], number)
            write(options.folder / name, number, excerpt, music)
            found.append(shares(excerpt, music))
        print(_row(name, found), flush=True)


def replace_onsets(music: Performance, by_s: float) -> Performance:
    """Return music that much later."""
    notes, pedals = music.notes.copy(), music.pedals.copy()
    notes["onset_s"] += by_s
    pedals["time_s"] += by_s
    return Performance(notes, pedals)


def _row(name: str, found: list[NDArray[np.int64]]) -> str:
    keys, in_chord, in_scale = np.sum(found, axis=0)
    return f"| {name} | {keys} | {in_chord / max(keys, 1):.2f} | {in_scale / max(keys, 1):.2f} |"


if __name__ == "__main__":
    main()
