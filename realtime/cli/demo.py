"""`pianod demo`: a duet with no MIDI system. A player in memory plays phrases to the live engine, in real time.

The same ports' protocol, threads and parts as live; the cables are in memory. It leaves files: the duet, its
picture, a report, and the sound where a synthesiser is installed. Main thread.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from loguru import logger
from tqdm import tqdm

from inference.onnx_session import Session
from inference.session_wrapper import MeteredSession
from piano.errors import ConfigError
from piano.midi.file import write_performance
from realtime.cli.demo_phrases import QUESTION, SECOND_THOUGHT, read_phrase
from realtime.cli.demo_player import DemoPlayer, Heard, Passage
from realtime.cli.requests import DemoRequest
from realtime.engine.find_bundle import open_bundle
from realtime.engine.from_settings import seed_of
from realtime.engine.open_model import open_session
from realtime.files.output_paths import check_folder, write_text
from realtime.files.piano_roll import draw_roll
from realtime.files.synthesis import synthesise
from realtime.live.live_session import LivePlay
from realtime.midi.memory_ports import MemoryMidiSystem
from realtime.settings import Settings
from realtime.threads.clock import MonotonicClock

KEYS, EARS = "demo keys", "demo ears"
"""The cables: from the player to the engine, and back."""

LISTEN_S = (8.0, 6.5)
"""For how long the player listens to the first answer, which the second phrase interrupts, and to the last."""


_FILES = (".mid", ".midi", ".wav", ".png", ".json", ".txt")
"""What ends so is no folder's name."""


@dataclass(frozen=True, slots=True)
class Played:
    """A demo that has been played."""

    play: LivePlay
    session: MeteredSession
    heard: Sequence[Heard]


def run_demo(settings: Settings, request: DemoRequest) -> int:
    """Play the demo and write its files into a folder; return the exit code."""
    out = request.out
    if out.suffix.lower() in _FILES and not out.is_dir():
        raise ConfigError(f"--out {out} looks like a file: give a folder, for several files are written")
    check_folder(out, "--out")
    session, provider = open_session(open_bundle(settings), settings)
    seed = seed_of(settings)
    passages = [
        Passage(read_phrase(name), listen_s)
        for name, listen_s in zip((QUESTION, SECOND_THOUGHT), LISTEN_S, strict=True)
    ]
    played = play_demo(settings, session, seed, passages)
    write_files(out, played, report_of(settings, seed, provider, played))
    return 0


def demo_settings(settings: Settings) -> Settings:
    """Return the settings with the cables as ports, and a pause as what asks for an answer."""
    return settings.model_copy(
        update={
            "input": None,
            "output": None,
            "virtual_input": KEYS,
            "virtual_output": EARS,
            "input_channel": 0,
            "output_channel": 1,
            "thru": False,
            "trigger": "pause",
            "answer": "endless",
            "takes": None,
        }
    )


def play_demo(settings: Settings, session: Session, seed: int, passages: Sequence[Passage]) -> Played:
    """Play the passages to the engine in real time; PianodError if it failed."""
    clock = MonotonicClock()
    system = MemoryMidiSystem(clock)
    metered = MeteredSession(session)
    total_s = sum(passage.phrase.end_s + passage.listen_s + settings.shortest_pause_s for passage in passages)
    try:
        play = LivePlay(demo_settings(settings), system, metered, seed)
        with tqdm(total=round(total_s), bar_format="{desc:<17} {bar} {n:.0f} s", leave=False, disable=None) as bar:
            started_ns = clock.now_ns()

            def report(what: str) -> None:
                bar.desc = what
                bar.update(min((clock.now_ns() - started_ns) / 1e9, bar.total) - bar.n)

            with play:
                player = DemoPlayer(clock, system.open_output(KEYS), system.open_input(EARS), report=report)
                heard = player.play(passages)
        play.check()
    finally:
        system.close()
    return Played(play, metered, heard)


def write_files(out: Path, played: Played, report: dict[str, Any]) -> None:
    """Write the duet, its picture, the report, and where possible its sound."""
    tracks = played.play.partner.take.tracks()
    duet = out / "duet.mid"
    write_performance(duet, tracks)
    draw_roll(out / "duet.png", tracks, title="A phrase, and what pianod made of it")
    write_text(out / "report.json", json.dumps(report, indent=2, default=str) + "\n")
    files = ["duet.mid", "duet.png", "report.json"]
    if synthesise(duet, out / "duet.wav"):
        files.append("duet.wav")
    logger.info("in {}: {}", out, ", ".join(files))


def report_of(settings: Settings, seed: int, provider: str, played: Played) -> dict[str, Any]:
    """Return what is to be said of the demo."""
    engine, output = played.play.partner.engine.status(), played.play.partner.scheduler.status()
    player, pianod = (track.performance.notes.size for track in played.play.partner.take.tracks())
    session = played.session
    first = played.heard[0]
    delay_ns = None if first.answer_ns is None else first.answer_ns - first.end_ns
    return {
        "seed": seed,
        "model": settings.model,
        "provider": provider,
        "heard": {"events": engine.heard, "notes": player},
        "answers": {
            "count": engine.performer.answers,
            "interruptions": engine.performer.interruptions,
            "notes": pianod,
            "messages": output.sent,
        },
        "first_answer_s": None if delay_ns is None else round(delay_ns / 1e9, 4),
        "lateness_ms": asdict(output.own_lateness),
        "key_to_model_ms": asdict(engine.hearing),
        "model_ms": {
            "runs": session.feeds,
            "tokens": session.tokens,
            "per_run": round(session.busy_ns / 1e6 / max(session.feeds, 1), 4),
            "per_note": round(session.busy_ns / 1e6 / max(player + pianod, 1), 4),
        },
        "not_played": {"stale": output.stale, "too_late": output.too_late, "undelivered": output.undelivered},
        "settings": settings.model_dump(mode="json"),
    }
